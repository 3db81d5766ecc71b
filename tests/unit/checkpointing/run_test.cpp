#include "benchmarks/checkpointing/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "io/object_pool.hpp"
#include "small_plan.hpp"

namespace mlps::checkpointing {
using test::MemoryStore;
using test::request_for;
using test::run_on;
using test::small_plan;

namespace {

using storage::Operation;
using storage::OpKind;

TEST(Run, WritesAndReadsEveryPlannedByteAndAccountsForIt) {
  MemoryStore store;
  const CheckpointPlan plan = small_plan(8, 3, 3);
  const RunRecord record = run_on(store, plan);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed) << (record.error ? render(*record.error) : "");
  EXPECT_TRUE(record.reasons.empty());
  EXPECT_EQ(store.protocol_errors, 0);
  EXPECT_EQ(store.blobs.size(), plan.objects_per_checkpoint * 3);
  for (uint32_t k = 1; k <= 3; ++k) {
    for (const RankPlan& rank : plan.ranks) {
      for (const PlannedObject& object : rank.objects) {
        const std::string name = payload_name(plan, k, object);
        const auto& blob = store.blobs.at(object_name(k, object));
        EXPECT_TRUE(blob.complete);
        EXPECT_EQ(blob.bytes.size(), object.size_bytes);
        EXPECT_FALSE(payload::Source(42, name).first_mismatch(0, blob.bytes)) << name;
      }
    }
  }
  EXPECT_EQ(record.write.bytes, plan.bytes_to_write());
  EXPECT_EQ(record.read.bytes, plan.bytes_to_read());
  EXPECT_EQ(record.read.bytes_verified, plan.bytes_to_read());
  ASSERT_EQ(record.events.size(), 6U);
  for (const CheckpointEvent& event : record.events) {
    ASSERT_EQ(event.ranks.size(), 8U);
    for (const RankInterval& interval : event.ranks) {
      EXPECT_GT(interval.duration_ns, 0);
      EXPECT_LE(interval.duration_ns, event.slowest_ns);
      EXPECT_EQ(interval.bytes, plan.ranks[interval.rank].total_bytes());
    }
  }
  EXPECT_EQ(record.events[1].phase, Phase::kWrite);
  EXPECT_EQ(record.events[1].checkpoint, 2U);
  EXPECT_GT(record.first_byte_s, 0);
}

/// Two hosts are two threads here, and meet in memory.
TEST(Run, TwoHostsShareThePlanAndStoreWhatOneWould) {
  const CheckpointPlan plan = small_plan(7, 2, 2);
  MemoryStore alone, shared;
  ASSERT_EQ(run_on(alone, plan).verdict, run::Verdict::kPassed);
  world::Failure failure;
  world::World meeting({0, 2, 2, 0, 1, {}}, failure);
  const auto meet = [&] { return meeting.barrier() ? Status{} : fail(ErrorCode::kMpiCommunication, "nobody came"); };
  world::World first({0, 3, 7, 0, 2, meet}, failure), second({3, 4, 7, 1, 2, meet}, failure);
  RunRecord records[2];
  std::thread other([&] { records[1] = run(request_for(plan, shared, 2), second); });
  records[0] = run(request_for(plan, shared, 3), first);
  other.join();
  uint64_t written = 0, verified = 0;
  uint32_t next_rank = 0;
  for (const RunRecord& record : records) {
    EXPECT_EQ(record.verdict, run::Verdict::kPassed) << (record.error ? render(*record.error) : "");
    EXPECT_EQ(record.first_rank, next_rank);
    for (const RankInterval& interval : record.events.at(0).ranks) EXPECT_EQ(interval.rank, next_rank++);
    written += record.write.bytes;
    verified += record.read.bytes_verified;
  }
  EXPECT_EQ(next_rank, 7U);
  EXPECT_EQ(written, plan.bytes_to_write());
  EXPECT_EQ(verified, plan.bytes_to_read());
  EXPECT_EQ(shared.protocol_errors, 0);
  ASSERT_EQ(shared.blobs.size(), alone.blobs.size());
  for (const auto& [name, blob] : alone.blobs) EXPECT_EQ(shared.blobs.at(name).bytes, blob.bytes) << name;
}

TEST(Run, MoreRanksThanWorkersAndMoreWorkersThanRanks) {
  for (const auto& [ranks, workers] : {std::pair{200U, 2U}, std::pair{1U, 8U}, std::pair{3U, 1U}}) {
    MemoryStore store;
    EXPECT_EQ(run_on(store, small_plan(ranks, 2, 2), workers).verdict, run::Verdict::kPassed)
        << ranks << " " << workers;
    EXPECT_EQ(store.protocol_errors, 0);
  }
}

TEST(Run, AReadOnlyRunFindsTheSeedInTheObjects) {
  MemoryStore store;
  ASSERT_EQ(run_on(store, small_plan(6, 2, 0)).verdict, run::Verdict::kPassed);
  world::World world(6);
  RunRequest request = request_for(small_plan(6, 0, 2), store, 4);
  request.seed = 7;  // the run's own random one
  const RunRecord record = run(request, world);
  EXPECT_EQ(record.verdict, run::Verdict::kPassed) << (record.error ? render(*record.error) : "");
  EXPECT_EQ(record.seed, 42U);
}

TEST(Run, AnErrorOfOneOperationStopsAllAndAbortsWhatIsOpen) {
  std::atomic<int> parts{0};
  MemoryStore store([&](Operation& operation) {
    if (operation.kind == OpKind::kWritePart && ++parts == 30) {
      operation.error = Error{ErrorCode::kDiskFull, "write r/x: No space left on device"};
    }
  });
  const RunRecord record = run_on(store, small_plan(20, 3, 3));
  EXPECT_EQ(record.verdict, run::Verdict::kFailed);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kDiskFull);
  EXPECT_NE(record.error->details.find("rank "), std::string::npos);
  EXPECT_NE(record.error->details.find("write of checkpoint 1"), std::string::npos);
  EXPECT_TRUE(record.events.empty());
  EXPECT_GT(store.aborts, 0);
  for (const auto& [name, blob] : store.blobs) EXPECT_TRUE(blob.complete) << name << " left half-written";
}

TEST(Run, AFlippedBitIsFoundAndNamed) {
  MemoryStore store([](Operation& operation) {
    if (operation.kind == OpKind::kWritePart && operation.object->name().find("step2/r5_1.pt") != std::string::npos &&
        operation.part == 2) {
      operation.buffer[17] ^= std::byte{0x10};
    }
  });
  const RunRecord record = run_on(store, small_plan(8, 2, 2));
  EXPECT_EQ(record.verdict, run::Verdict::kFailed);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
  EXPECT_NE(record.error->message.find("r5_1.pt: byte 2,017"), std::string::npos) << record.error->message;
  EXPECT_EQ(record.events.size(), 3U) << "both writes and the first read are complete";
}

TEST(Run, AShortReadIsAMismatchEvenWithoutVerify) {
  MemoryStore store;
  const CheckpointPlan plan = small_plan(4, 1, 0);
  ASSERT_EQ(run_on(store, plan).verdict, run::Verdict::kPassed);
  MemoryStore shortened([](Operation&) {});
  shortened.blobs = store.blobs;
  auto& victim = shortened.blobs.at("global_epoch1_step1/r3_0.pt");
  victim.bytes.pop_back();
  const RunRecord record = run_on(shortened, small_plan(4, 0, 1));
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
  EXPECT_NE(record.error->details.find("r3_0.pt: 5,331 bytes expected, 5,330 found"), std::string::npos)
      << record.error->details;
}

TEST(Run, AMissingObjectIsFoundBeforeTheFirstRead) {
  MemoryStore store;
  ASSERT_EQ(run_on(store, small_plan(4, 2, 0)).verdict, run::Verdict::kPassed);
  store.blobs.erase("global_epoch1_step2/r1_0.pt");
  const RunRecord record = run_on(store, small_plan(4, 0, 2));
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kStorageNotFound);
  EXPECT_EQ(record.read.bytes, 0U);
}

TEST(Run, AFailureFromOutsideEndsAPause) {
  MemoryStore store;
  CheckpointPlan plan = small_plan(16, 2, 2);
  plan.pause_seconds = 3600;
  world::World world(16);
  std::thread signal([&] { world.failure().raise({ErrorCode::kInterrupted, "interrupted by SIGINT"}); });
  const RunRecord record = run(request_for(plan, store, 4), world);
  signal.join();
  EXPECT_EQ(record.verdict, run::Verdict::kInterrupted);
  EXPECT_EQ(record.error->code, ErrorCode::kInterrupted);
}

TEST(Run, AFailureFromOutsideAtAnyMomentNeverHangs) {
  for (int round = 0; round < 30; ++round) {
    std::atomic<int> operations{0};
    world::World* world_in_use = nullptr;
    MemoryStore store([&](Operation&) {
      if (++operations == round * 13) world_in_use->failure().raise({ErrorCode::kInterrupted, "stop"});
    });
    world::World world(10);
    world_in_use = &world;
    const RunRecord record = run(request_for(small_plan(10, 2, 2), store, 3), world);
    if (record.verdict == run::Verdict::kPassed) continue;  // the moment lay past the end
    EXPECT_EQ(record.verdict, run::Verdict::kInterrupted);
    for (const auto& [name, blob] : store.blobs) EXPECT_TRUE(blob.complete) << name;
  }
}

TEST(Run, LostBytesAreCaughtByTheAccount) {
  MemoryStore store([](Operation& operation) {
    // Acknowledged, but fewer bytes moved than the part has.
    if (operation.kind == OpKind::kWritePart && operation.buffer.size() > 1)
      operation.buffer = operation.buffer.first(1);
  });
  const RunRecord record = run_on(store, small_plan(2, 1, 0));
  EXPECT_EQ(record.verdict, run::Verdict::kFailed);
  EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
  EXPECT_NE(record.error->details.find("write of checkpoint 1"), std::string::npos) << record.error->details;
  EXPECT_NE(record.error->details.find("rank "), std::string::npos) << record.error->details;
}

TEST(Uncovered, IsWhatNoSpanReaches) {
  using io::uncovered;
  EXPECT_EQ(uncovered({100, 200}, {}), 100);
  EXPECT_EQ(uncovered({100, 200}, {{90, 210}}), 0);
  EXPECT_EQ(uncovered({100, 200}, {{150, 160}, {110, 130}, {120, 140}}), 10 + 10 + 40);
  EXPECT_EQ(uncovered({100, 200}, {{0, 50}, {110, 120}, {112, 115}, {300, 400}}), 90);
}

TEST(Run, RankSyncMakesAllDurationsEndTogether) {
  std::map<uint32_t, Nanos> last_commits;
  std::mutex mutex;
  MemoryStore store([&](Operation& operation) {
    if (operation.kind != OpKind::kCommitWrite) return;
    const std::string& name = operation.object->name();  // "global_epoch1_step1/r3_0.pt"
    const std::lock_guard lock(mutex);
    last_commits[static_cast<uint32_t>(std::stoul(name.substr(name.find("/r") + 2)))] = now_ns();
  });
  const auto last_commit_of = [&](uint32_t rank) { return last_commits.at(rank); };
  CheckpointPlan plan = small_plan(5, 1, 0);
  plan.rank_sync = true;
  const RunRecord record = run_on(store, plan);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed);
  // Each rank reads the clock by itself once all have met, so the ends lie as close together as those readings; without
  // the meeting they would lie as far apart as the ranks' work.
  Nanos latest_completion = 0;
  for (const RankInterval& interval : record.events.at(0).ranks) {
    latest_completion = std::max(latest_completion, last_commit_of(interval.rank));
  }
  for (const RankInterval& interval : record.events.at(0).ranks) {
    EXPECT_GE(interval.start.monotonic_ns + interval.duration_ns, latest_completion)
        << "rank " << interval.rank << " ended before the slowest rank";
  }
}

TEST(Run, ARankWithoutObjectsIsDoneAtOnce) {
  for (const uint32_t empty : {0U, 1U, 2U}) {
    CheckpointPlan plan = small_plan(3, 2, 2);
    RankPlan& rank = plan.ranks[empty];
    plan.objects_per_checkpoint -= rank.objects.size();
    plan.model_bytes -= rank.model_bytes;
    rank.objects.clear();
    rank.model_bytes = 0;
    MemoryStore store;
    const RunRecord record = run_on(store, plan);
    ASSERT_EQ(record.verdict, run::Verdict::kPassed) << (record.error ? render(*record.error) : "");
    for (const CheckpointEvent& event : record.events) {
      EXPECT_EQ(event.ranks[empty].bytes, 0U);
      EXPECT_EQ(event.ranks[empty].duration_ns, 0);
    }
  }
}

TEST(Run, NoRankHasAnyObject) {
  CheckpointPlan plan = small_plan(4, 2, 2);
  for (RankPlan& rank : plan.ranks) {
    rank.objects.clear();
    rank.model_bytes = 0;
  }
  plan.objects_per_checkpoint = plan.model_bytes = 0;
  MemoryStore store;
  EXPECT_EQ(run_on(store, plan).verdict, run::Verdict::kPassed);
}

}  // namespace
}  // namespace mlps::checkpointing
