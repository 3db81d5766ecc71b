#include "benchmarks/kvcache/run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/units.hpp"
#include "benchmarks/kvcache/metrics.hpp"
#include "benchmarks/kvcache/rank_folder.hpp"
#include "scratch_folder.hpp"

namespace mlps::kvcache {
namespace {

using ::testing::HasSubstr;

/// A model whose entries are small: 16 bytes a token, 2 KiB to 400 KiB an entry.
Model small_model() {
  Model model;
  model.key = model.name = "small";
  model.layers = 1;
  model.kv_heads = 1;
  model.key_width = model.value_width = 4;
  return model;
}

RunRequest request_for(storage::Store& store, uint32_t ranks, KvIo io) {
  RunRequest request;
  OptionPlan option = closed_option(1);
  option.model = small_model();
  option.users = 20;
  option.duration_s = 1;
  request.settings.options = {option};
  request.settings.trials = 1;
  request.settings.inter_option_delay_s = 0;
  request.settings.io = io;
  request.io = {{{4, store.traits().blocking ? 1u : 4u, 65536, kMiB, true}, {}}};
  request.ranks = ranks;
  request.verify = true;
  request.store = &store;
  request.invocation_start = Stamp::now();
  return request;
}

uint64_t read_from_storage(const RunRecord& record) {
  uint64_t bytes = 0;
  for (const RankTrial& trial : record.trials) {
    for (const Moved* moved : {&storage_of(trial).read, &storage_of(trial).demoted_out}) {
      bytes += moved->inside + moved->late;
    }
  }
  return bytes;
}

uint64_t written_to_storage(const RunRecord& record) {
  uint64_t bytes = 0;
  for (const RankTrial& trial : record.trials) {
    for (const Moved* moved : {&storage_of(trial).written, &storage_of(trial).demoted_in}) {
      bytes += moved->inside + moved->late;
    }
  }
  return bytes;
}

std::string problem(const RunRecord& record) {
  return record.error ? render(*record.error) : std::string();
}

TEST(KvRun, MovesEntriesAsFilesVerifiesThemAndLeavesNothing) {
  const test::ScratchFolder folder;
  const auto store = folder.open();
  RunRecord record;
  const auto is_short = [&] {
    return std::any_of(record.trials.begin(), record.trials.end(),
                       [](const RankTrial& trial) { return trial.served.size() <= 10; });
  };
  for (double seconds = 1; seconds <= 16 && (record.trials.empty() || is_short()); seconds *= 2) {
    RunRequest request = request_for(*store, 2, KvIo::kCompat);
    request.settings.options[0].duration_s = seconds;  // a busy machine does less in a second
    world::World world(2);
    record = run(request, world);
    ASSERT_EQ(record.verdict, run::Verdict::kPassed) << problem(record);
  }
  ASSERT_EQ(record.trials.size(), 2u);
  EXPECT_EQ(record.trials[1].rank, 1u);
  EXPECT_EQ(record.trials[1].seed, 43u);
  for (const RankTrial& trial : record.trials) {
    EXPECT_GT(trial.served.size(), 10u);
    const TierTraffic& storage = storage_of(trial);
    EXPECT_EQ(storage.read_s.size(), storage.read_device_s.size());
    EXPECT_EQ(storage.write_s.size(), storage.write_host_s.size());
    for (size_t i = 0; i < storage.read_s.size(); ++i) {
      EXPECT_NEAR(storage.read_s[i], storage.read_device_s[i] + storage.read_host_s[i], 1e-9);
    }
  }
  // Every byte that the engine counted was moved by the I/O threads, and those moved headers besides.
  const uint64_t moved = read_from_storage(record) + written_to_storage(record);
  EXPECT_GE(record.storage.bytes, moved);
  EXPECT_LE(record.storage.bytes, moved + 128 * (record.storage.objects + 16));
  EXPECT_GT(record.storage.bytes_verified, 0u);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, MovesPartsOfEntriesAtOncePastThePageCache) {
  const test::ScratchFolder folder;
  const auto store = folder.open("direct://");
  if (store == nullptr) GTEST_SKIP() << "the file system refuses O_DIRECT";
  world::World world(1);
  const RunRecord record = run(request_for(*store, 1, KvIo::kDirect), world);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed) << problem(record);
  EXPECT_EQ(read_from_storage(record) + written_to_storage(record), record.storage.bytes);
  EXPECT_TRUE(storage_of(record.trials[0]).read_device_s.empty()) << "spans of mlpstorage 3.0 are not made up";
  EXPECT_FALSE(storage_of(record.trials[0]).read_s.empty());
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, MemoryTierHoldsEntriesAndDemotesThem) {
  const test::ScratchFolder folder;
  const auto store = folder.open();
  RunRequest request = request_for(*store, 1, KvIo::kCompat);
  request.settings.options[0].cpu_gib = 0.5 / 1024;
  request.settings.options[0].duration_s = 3;  // until something that was demoted is read again, on a busy machine
  request.io[0].memory = {2, 1, 65536, kMiB, true};
  world::World world(1);
  const RunRecord record = run(request, world);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed) << problem(record);
  EXPECT_GT(storage_of(record.trials[0]).demoted_in.inside, 0u);
  EXPECT_GT(record.memory.bytes, 0u);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, StaysWithinTheCapacityAndRemovesWhatItEvicts) {
  const test::ScratchFolder folder;
  const auto store = folder.open();
  RunRequest request = request_for(*store, 1, KvIo::kCompat);
  request.settings.storage_capacity_gib = 1.0 / 1024;
  world::World world(1);
  const RunRecord record = run(request, world);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed) << problem(record);
  EXPECT_GT(record.trials[0].evictions, 0u);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, AFailedWriteEndsTheRunInOrder) {
  const test::ScratchFolder folder;
  const auto store = folder.open("", "full:write_part@40");
  ASSERT_NE(store, nullptr);
  world::World world(1);
  const RunRecord record = run(request_for(*store, 1, KvIo::kCompat), world);
  EXPECT_EQ(record.verdict, run::Verdict::kFailed);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kDiskFull) << problem(record);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, AWrongByteEndsTheRunAndIsNamed) {
  const test::ScratchFolder folder;
  const auto store = folder.open("", "flip:read_part@10");
  ASSERT_NE(store, nullptr);
  world::World world(1);
  const RunRecord record = run(request_for(*store, 1, KvIo::kCompat), world);
  EXPECT_EQ(record.verdict, run::Verdict::kFailed);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
  EXPECT_THAT(record.error->message, HasSubstr("rank_0/"));
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, AnInterruptEndsItWithinItsWindow) {
  const test::ScratchFolder folder;
  const auto store = folder.open();
  RunRequest request = request_for(*store, 1, KvIo::kCompat);
  request.settings.options[0].duration_s = 600;
  world::World world(1);
  std::thread user([&] {
    while (folder.files() < 5) std::this_thread::yield();
    world.failure().raise({ErrorCode::kInterrupted, "interrupted"});
  });
  const RunRecord record = run(request, world);
  user.join();
  EXPECT_EQ(record.verdict, run::Verdict::kInterrupted);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, AFullQueueEndsTheRunWithAdvice) {
  const test::ScratchFolder folder;
  const auto store = folder.open("", "slow=500:read_part@1+");
  ASSERT_NE(store, nullptr);
  RunRequest request = request_for(*store, 1, KvIo::kCompat);
  request.settings.options[0].duration_s = 600;
  request.settings.arrival = Arrival::kPoisson;
  request.settings.request_rate = 2000;
  request.settings.max_queue = 300;
  world::World world(1);
  const RunRecord record = run(request, world);
  EXPECT_EQ(record.verdict, run::Verdict::kFailed);
  ASSERT_TRUE(record.error);
  EXPECT_THAT(record.error->message, HasSubstr("requests wait, more than --max-queue 300"));
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, OnNullNothingIsKeptAndAllIsServed) {
  auto store = storage::open_store(*parse_location("null://"), {}, Environment());
  ASSERT_TRUE(store);
  RunRequest request = request_for(**store, 1, KvIo::kDirect);
  request.verify = false;
  request.fills = false;
  request.io[0].storage = {1, 4, 65536, kMiB, false};
  world::World world(1);
  const RunRecord record = run(request, world);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed) << problem(record);
  EXPECT_LE(record.trials[0].waiting, 1u);
}

TEST(KvRun, PreconditioningByManyThreadsFillsTheStorageAndCountsNowhere) {
  const test::ScratchFolder folder;
  const auto store = folder.open();
  RunRequest request = request_for(*store, 1, KvIo::kCompat);
  request.settings.storage_capacity_gib = 4.0 / 1024;
  request.settings.preconditioning = {0, 64};
  world::World world(1);
  const RunRecord record = run(request, world);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed) << problem(record);
  const RankTrial& trial = record.trials[0];
  const uint64_t each = small_model().entry_bytes(kPreparedTokens);
  EXPECT_EQ(trial.prepared_entries, 8 * kMiB / each);
  EXPECT_GT(trial.evictions, 0u);
  EXPECT_LE(trial.used_bytes[2], 4 * kMiB);
  const uint64_t moved = read_from_storage(record) + written_to_storage(record) + trial.prepared_bytes;
  EXPECT_GE(record.storage.bytes, moved);
  EXPECT_LE(record.storage.bytes, moved + 128 * (record.storage.objects + 16));
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, AFailureWhilePreconditioningEndsTheRun) {
  const test::ScratchFolder folder;
  const auto store = folder.open("", "full:write_part@40");
  RunRequest request = request_for(*store, 1, KvIo::kCompat);
  request.settings.storage_capacity_gib = 4.0 / 1024;
  request.settings.preconditioning = {0, 64};
  world::World world(1);
  const RunRecord record = run(request, world);
  EXPECT_EQ(record.verdict, run::Verdict::kFailed);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kDiskFull) << problem(record);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KvRun, AReadThatFailsIsNoHitAndOneThatIsRepeatedIsCountedAsSuch) {
  for (const bool final : {false, true}) {
    const test::ScratchFolder folder;
    const auto store = folder.open("", final ? "reset:read_part@30" : "reset=2:read_part@10,reset=1:read_part@25");
    world::World world(1);
    const RunRecord record = run(request_for(*store, 1, KvIo::kCompat), world);
    if (!final) {
      ASSERT_EQ(record.verdict, run::Verdict::kPassed) << problem(record);
      EXPECT_EQ(record.storage.retries, 3u);
      continue;
    }
    EXPECT_EQ(record.verdict, run::Verdict::kFailed);
    ASSERT_TRUE(record.error);
    EXPECT_EQ(record.error->code, ErrorCode::kStorageUnreachable) << problem(record);
    uint64_t hits = 0;
    for (const RankTrial& trial : record.trials) hits += look_ups(trial).hits;
    EXPECT_LT(hits, 30u) << "what failed is among the hits";
  }
}

TEST(KvRun, WhatManyFilesOfAKilledRunAreIsRemovedInLittleMemory) {
  const test::ScratchFolder folder;
  std::filesystem::create_directory(folder.path() + "/rank_0");
  std::ofstream(folder.path() + "/rank_0/" + std::string(kMarker)) << "x";
  for (int i = 0; i < 5000; ++i) {
    std::ofstream(fmt::format("{}/rank_0/conv_user_0001_{}_turn_1.npy", folder.path(), i)) << "12345";
  }
  const auto store = folder.open();
  world::World world(1);
  const RunRecord record = run(request_for(*store, 1, KvIo::kCompat), world);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed) << problem(record);
  EXPECT_EQ(record.leftover_entries, 5000u);
  EXPECT_EQ(record.leftover_bytes, 25'000u);
  EXPECT_EQ(folder.files(), 0u);
}

}  // namespace
}  // namespace mlps::kvcache
