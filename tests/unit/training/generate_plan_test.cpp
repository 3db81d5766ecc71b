// Who writes how much at once, and which files are whole so far.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "benchmarks/training/generate_window.hpp"
#include "small_data_set.hpp"

namespace mlps::training {
namespace {

using namespace training::test;
using ::testing::HasSubstr;

// ---- the window

TEST(CommitWindow, FindsHowFarAllAreCompleteInAnyOrder) {
  CommitWindow window(10, 20, 4);
  uint64_t index = 0;
  for (uint64_t expected = 10; expected < 14; ++expected) {
    ASSERT_EQ(window.claim(index), CommitWindow::Claim::kIndex);
    EXPECT_EQ(index, expected);
  }
  EXPECT_EQ(window.claim(index), CommitWindow::Claim::kFull) << "four are out";
  window.complete(12);
  window.complete(11);
  EXPECT_EQ(window.watermark(), 10U);
  window.complete(10);
  EXPECT_EQ(window.watermark(), 13U);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(window.claim(index), CommitWindow::Claim::kIndex);
  EXPECT_EQ(index, 16U);
  EXPECT_EQ(window.claim(index), CommitWindow::Claim::kFull);
  for (uint64_t done : {13, 14, 15, 16}) window.complete(done);
  EXPECT_EQ(window.watermark(), 17U);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(window.claim(index), CommitWindow::Claim::kIndex);
  EXPECT_EQ(window.claim(index), CommitWindow::Claim::kNone);
  for (uint64_t done : {19, 18, 17}) window.complete(done);
  EXPECT_EQ(window.watermark(), 20U);
}

TEST(CommitWindow, ThreadsTakeEveryIndexOnceAndNoneIsForgotten) {
  constexpr uint64_t kCount = 50'000;
  CommitWindow window(0, kCount, 64);
  std::vector<std::atomic<int>> taken(kCount);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      uint64_t index = 0;
      for (;;) {
        const auto claim = window.claim(index);
        if (claim == CommitWindow::Claim::kNone) return;
        if (claim == CommitWindow::Claim::kFull) {
          std::this_thread::yield();
          continue;
        }
        ++taken[index];
        window.complete(index);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(window.watermark(), kCount);
  for (const auto& count : taken) ASSERT_EQ(count, 1);
}

// ---- the plan

class TraitsStore : public MemoryStore {
 public:
  explicit TraitsStore(bool blocking, bool holds_objects = true, bool file_system = false)
      : blocking_(blocking), holds_(holds_objects), file_system_(file_system) {}
  storage::StoreTraits traits() const override { return {"memory", blocking_, holds_, file_system_, 1}; }

 private:
  bool blocking_;
  bool holds_;
  bool file_system_;
};

struct FixedFiles {
  explicit FixedFiles(uint64_t side, uint64_t files) : format(false), train(make(side, files)), eval(make(side, 0)) {}
  Dataset make(uint64_t side, uint64_t files) const {
    workloads::DatasetSettings settings;
    settings.format = workloads::DataFormat::kJpeg;
    settings.num_files_train = files;
    settings.record_bytes = static_cast<double>(side * side);
    return {settings, FileSet::kTrain, kSeed, format};
  }
  PlainFormat format;
  Dataset train, eval;
};

constexpr uint64_t kMiBytes = uint64_t{1} << 20;

TEST(PlanWrites, BlockingStoresGetAThreadPerFileInFlight) {
  const FixedFiles files(12107, 7200);  // 146,579,449 bytes
  TraitsStore store(true);
  const auto few = plan_writes(files.train, files.eval, store,
                               {.part_bytes = 16 * kMiBytes, .memory_bytes = 2048 * kMiBytes, .cores = 8});
  ASSERT_TRUE(few) << render(few.error());
  EXPECT_EQ(few->workers, 16U);
  EXPECT_EQ(few->depth, 1U);
  EXPECT_EQ(few->part_bytes, 16 * kMiBytes);
  const auto many = plan_writes(files.train, files.eval, store,
                                {.processes = 64, .part_bytes = 16 * kMiBytes, .memory_bytes = 2048 * kMiBytes});
  EXPECT_EQ(many->workers, 64U) << "as many as there are processes";
  const auto poor = plan_writes(files.train, files.eval, store,
                                {.processes = 64, .part_bytes = 16 * kMiBytes, .memory_bytes = 320 * kMiBytes});
  EXPECT_EQ(poor->workers, 20U) << "as many as the memory holds";
}

TEST(PlanWrites, AsynchronousStoresGetAThreadPerCore) {
  const FixedFiles files(568, 100'000);  // 322,624 bytes
  TraitsStore store(false);
  const auto plan =
      plan_writes(files.train, files.eval, store,
                  {.processes = 100, .part_bytes = 16 * kMiBytes, .memory_bytes = 2048 * kMiBytes, .cores = 8});
  ASSERT_TRUE(plan) << render(plan.error());
  EXPECT_EQ(plan->part_bytes, 323'584U) << "a file, in whole pages";
  EXPECT_EQ(plan->workers, 8U);
  EXPECT_EQ(plan->depth, 13U) << "100 or more in flight";
  EXPECT_EQ(
      plan_writes(
          files.train, files.eval, store,
          {.processes = 100, .hosts = 3, .part_bytes = 16 * kMiBytes, .memory_bytes = 2048 * kMiBytes, .cores = 2})
          ->depth,
      17U)
      << "34 of the 100 on each of 3 hosts";
  const FixedFiles three(568, 3);
  const auto small = plan_writes(three.train, three.eval, store,
                                 {.part_bytes = 16 * kMiBytes, .memory_bytes = 2048 * kMiBytes, .cores = 8});
  EXPECT_EQ(small->workers, 3U) << "a file is one worker's";
  const auto shared =
      plan_writes(three.train, three.eval, store,
                  {.hosts = 2, .part_bytes = 16 * kMiBytes, .memory_bytes = 2048 * kMiBytes, .cores = 8});
  EXPECT_EQ(shared->workers, 2U) << "no host has more of them";
}

TEST(PlanWrites, DirectFilesAreWrittenSeveralAtOnceWhateverTheCores) {
  const FixedFiles files(12107, 7200);
  TraitsStore direct(false, true, true);
  const auto plan = plan_writes(files.train, files.eval, direct,
                                {.part_bytes = kMiBytes, .memory_bytes = 384 * kMiBytes, .cores = 2});
  ASSERT_TRUE(plan) << render(plan.error());
  EXPECT_EQ(plan->workers, 8U);
  EXPECT_EQ(plan->depth, 2U);
}

TEST(PlanWrites, NullGetsAThreadPerCore) {
  const FixedFiles files(568, 1000);
  TraitsStore store(false, false);
  const auto plan = plan_writes(files.train, files.eval, store,
                                {.part_bytes = 16 * kMiBytes, .memory_bytes = 2048 * kMiBytes, .cores = 4});
  EXPECT_EQ(plan->workers, 4U);
  EXPECT_EQ(plan->depth, 1U);
}

TEST(PlanWrites, WhatCannotBeHonouredIsRefusedByItsFlag) {
  const FixedFiles files(12107, 100);
  TraitsStore blocking(true);
  TraitsStore asynchronous(false);
  const auto message = [&](storage::Store& store, WriteRequest request) {
    request.part_bytes = 16 * kMiBytes;
    if (request.memory_bytes == 0) request.memory_bytes = 1024 * kMiBytes;
    const auto plan = plan_writes(files.train, files.eval, store, request);
    EXPECT_FALSE(plan);
    EXPECT_EQ(plan ? ErrorCode::kInternal : plan.error().code, ErrorCode::kConfigInvalid);
    return plan ? std::string() : plan.error().message;
  };
  EXPECT_THAT(message(blocking, {.depth = 2}), HasSubstr("--io-depth 2"));
  EXPECT_THAT(message(blocking, {.workers = 0}), HasSubstr("--io-workers 0"));
  EXPECT_THAT(message(blocking, {.workers = 4097}), HasSubstr("--io-workers 4097"));
  EXPECT_THAT(message(blocking, {.workers = 65}), HasSubstr("over --io-memory 1 GiB"));
  EXPECT_THAT(message(asynchronous, {.workers = 8, .depth = 9}), HasSubstr("8 workers x 9 in flight"));
  EXPECT_THAT(message(blocking, {.memory_bytes = kMiBytes}), HasSubstr("--io-memory 1 MiB doesn't hold"));
}

}  // namespace
}  // namespace mlps::training
