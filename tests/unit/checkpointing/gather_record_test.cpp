#include "benchmarks/checkpointing/gather_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <latch>

#include "../support/job.hpp"
#include "benchmarks/checkpointing/metrics.hpp"
#include "small_plan.hpp"

namespace mlps::checkpointing {
namespace {

using mlps::test::MemoryStore;
using mlps::test::run_job;
using test::request_for;
using test::run_on;
using test::small_plan;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint32_t kRanks = 7;
constexpr uint32_t kHosts = 3;
constexpr Nanos kCloseNs = 60'000'000'000;
// Three uneven shares: ranks 0-2, 3-4, 5-6.
constexpr std::array<uint32_t, kHosts + 1> kFirst = {0, 3, 5, 7};

world::World share_world(world::Transport& transport) {
  const uint32_t me = transport.index();
  const auto meet = [&transport] { return transport.barrier(); };
  return {{kFirst[me], kFirst[me + 1] - kFirst[me], kRanks, me, kHosts, meet}, transport.failure()};
}

RunRecord run_share(world::Transport& transport, storage::Store& store, const CheckpointPlan& plan) {
  world::World world = share_world(transport);
  return run(request_for(plan, store, transport.index() + 1), world);
}

struct Shares {
  std::vector<RunRecord> records = std::vector<RunRecord>(kHosts);
  std::vector<world::Bytes> sent;
  std::vector<world::Member> members = {{"a", 100, {}}, {"b", 101, {}}, {"c", 102, {}}};
};

/// What three hosts found out, before it is gathered.
Shares run_shares(const CheckpointPlan& plan) {
  Shares shares;
  MemoryStore store;
  run_job(kHosts,
          [&](world::Transport& transport) { shares.records[transport.index()] = run_share(transport, store, plan); });
  for (const RunRecord& record : shares.records) shares.sent.push_back(pack_part(record));
  return shares;
}

void expect_same_work(const PhaseStats& one, const PhaseStats& other) {
  EXPECT_EQ(one.bytes, other.bytes);
  EXPECT_EQ(one.bytes_verified, other.bytes_verified);
  EXPECT_EQ(one.parts, other.parts);
  EXPECT_EQ(one.objects, other.objects);
  EXPECT_EQ(one.part_ns.count(), other.part_ns.count());
  EXPECT_EQ(one.begin_ns.count(), other.begin_ns.count());
  EXPECT_EQ(one.commit_ns.count(), other.commit_ns.count());
}

TEST(GatherRecord, TheRecordOfThreeHostsIsThatOfOne) {
  const CheckpointPlan plan = small_plan(kRanks, 2, 2);
  MemoryStore store_of_one, store;
  const RunRecord one = run_on(store_of_one, plan);
  run_job(kHosts, [&](world::Transport& transport) {
    RunRecord record = run_share(transport, store, plan);
    ASSERT_TRUE(gather_record(record, transport));
    ASSERT_EQ(record.verdict, run::Verdict::kPassed) << ::testing::PrintToString(record.reasons);
    if (transport.index() != 0) {
      EXPECT_EQ(record.events.front().ranks.size(), 2U) << "others keep their share";
      return;
    }
    EXPECT_TRUE(record.reasons.empty());
    expect_same_work(record.write, one.write);
    expect_same_work(record.read, one.read);
    ASSERT_EQ(record.events.size(), one.events.size());
    for (size_t i = 0; i < one.events.size(); ++i) {
      EXPECT_EQ(record.events[i].phase, one.events[i].phase);
      EXPECT_EQ(record.events[i].checkpoint, one.events[i].checkpoint);
      ASSERT_EQ(record.events[i].ranks.size(), kRanks);
      for (uint32_t rank = 0; rank < kRanks; ++rank) {
        EXPECT_EQ(record.events[i].ranks[rank].rank, rank);
        EXPECT_EQ(record.events[i].ranks[rank].bytes, one.events[i].ranks[rank].bytes);
      }
    }
    EXPECT_TRUE(phase_metrics(record, Phase::kWrite)) << "every rank is there";
  });
}

TEST(GatherRecord, EveryHostHasAnEntry) {
  const CheckpointPlan plan = small_plan(kRanks, 1, 1);
  MemoryStore store;
  run_job(kHosts, [&](world::Transport& transport) {
    RunRecord record = run_share(transport, store, plan);
    ASSERT_EQ(record.hosts.size(), 1U);
    ASSERT_TRUE(gather_record(record, transport));
    if (transport.index() != 0) return;
    ASSERT_EQ(record.hosts.size(), kHosts);
    uint64_t written = 0;
    for (uint32_t i = 0; i < kHosts; ++i) {
      const run::HostPart& host = record.hosts[i];
      EXPECT_EQ(host.host, std::string(1, static_cast<char>('a' + i)));
      EXPECT_EQ(host.pid, 100 + i);
      EXPECT_EQ(host.process, i);
      EXPECT_EQ(host.first_rank, kFirst[i]);
      EXPECT_EQ(host.ranks, kFirst[i + 1] - kFirst[i]);
      EXPECT_EQ(host.workers, i + 1);
      EXPECT_GT(host.peak_rss_bytes, 0U);
      written += host.bytes_written;
    }
    EXPECT_EQ(written, plan.bytes_to_write());
  });
}

TEST(GatherRecord, OnOneHostNothingChanges) {
  MemoryStore store;
  RunRecord record = run_on(store, small_plan(4, 1, 1));
  const world::Bytes before = pack_part(record);
  world::LocalTransport transport;
  ASSERT_TRUE(gather_record(record, transport));
  EXPECT_EQ(pack_part(record), before);
  ASSERT_EQ(record.hosts.size(), 1U);
  EXPECT_EQ(record.hosts[0].ranks, 4U);
  EXPECT_EQ(record.hosts[0].bytes_read, record.read.bytes);
  EXPECT_EQ(record.hosts[0].first_byte_s, record.first_byte_s);
}

TEST(GatherRecord, MomentsAreMovedOntoTheClocksOfProcess0) {
  const Shares shares = run_shares(small_plan(kRanks, 1, 1));
  RunRecord plain = shares.records[0], moved = shares.records[0];
  ASSERT_TRUE(merge_parts(plain, shares.sent, shares.members));
  std::vector<world::Member> members = shares.members;
  members[1].clock = {5'000'000'000'000, -7'000'000, 10};
  ASSERT_TRUE(merge_parts(moved, shares.sent, members));
  for (size_t i = 0; i < plain.events.size(); ++i) {
    for (uint32_t rank = 0; rank < kRanks; ++rank) {
      const RankInterval& was = plain.events[i].ranks[rank];
      const RankInterval& is = moved.events[i].ranks[rank];
      const bool of_b = rank == 3 || rank == 4;
      EXPECT_EQ(is.start.monotonic_ns, was.start.monotonic_ns - (of_b ? 5'000'000'000'000 : 0));
      EXPECT_EQ(is.start.wall_us, was.start.wall_us + (of_b ? 7'000 : 0));
      EXPECT_EQ(is.duration_ns, was.duration_ns);
    }
    EXPECT_EQ(moved.events[i].slowest_ns, plain.events[i].slowest_ns) << "spans are measured by one clock each";
    const RankInterval& third = moved.events[i].ranks[3];
    const RankInterval& fourth = moved.events[i].ranks[4];
    EXPECT_EQ(moved.events[i].start.monotonic_ns, std::min(third.start.monotonic_ns, fourth.start.monotonic_ns));
  }
  EXPECT_EQ(moved.write.wall_s, plain.write.wall_s);
  EXPECT_NEAR(moved.hosts[1].started_s, plain.hosts[1].started_s - 5000, 1e-6);
  EXPECT_NEAR(moved.hosts[1].first_byte_s, plain.hosts[1].first_byte_s - 5000, 1e-6);
  EXPECT_EQ(moved.first_byte_s, moved.hosts[1].first_byte_s) << "the earliest of all hosts";
  EXPECT_EQ(moved.hosts[1].clock.error_ns, 10);
}

TEST(GatherRecord, SpansAndMemoryAreTheLargestAndTheRestIsSummed) {
  Shares shares = run_shares(small_plan(kRanks, 1, 1));
  for (uint32_t i = 0; i < kHosts; ++i) {
    RunRecord& record = shares.records[i];
    record.events[0].slowest_ns = 1000 * (i == 1 ? 9 : i);
    record.events[1].cached_before = storage::Residency{i, 10};
    record.write.cpu_user_s = i;
    record.write.retries = 2;
    record.hosts[0].peak_rss_bytes = i == 2 ? 77 : 5;
    shares.sent[i] = pack_part(record);
  }
  RunRecord whole = shares.records[0];
  ASSERT_TRUE(merge_parts(whole, shares.sent, shares.members));
  EXPECT_EQ(whole.events[0].slowest_ns, 9000);
  EXPECT_DOUBLE_EQ(whole.write.wall_s, 9e-6);
  ASSERT_TRUE(whole.events[1].cached_before);
  EXPECT_EQ(whole.events[1].cached_before->cached_bytes, 3U);
  EXPECT_EQ(whole.events[1].cached_before->total_bytes, 30U);
  EXPECT_EQ(whole.write.cpu_user_s, 3);
  EXPECT_EQ(whole.write.retries, 6U);
  EXPECT_EQ(whole.peak_rss_bytes, 77U);

  shares.records[1].events[1].cached_before.reset();
  shares.sent[1] = pack_part(shares.records[1]);
  ASSERT_TRUE(merge_parts(whole, shares.sent, shares.members));
  EXPECT_FALSE(whole.events[1].cached_before) << "what one host doesn't know isn't known";
}

TEST(GatherRecord, AByteThatIsMissingOnOneHostFailsTheWholeAndNamesTheHost) {
  const CheckpointPlan plan = small_plan(kRanks, 1, 1);
  MemoryStore store;
  run_job(kHosts, [&](world::Transport& transport) {
    RunRecord record = run_share(transport, store, plan);
    if (transport.index() == 1) {
      --record.read.bytes_verified;
      judge(record, share_of(plan, kFirst[1], 2));
      ASSERT_EQ(record.verdict, run::Verdict::kFailed);
    }
    ASSERT_TRUE(gather_record(record, transport));
    if (transport.index() != 0) return;
    EXPECT_EQ(record.verdict, run::Verdict::kFailed);
    ASSERT_TRUE(record.error);
    EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
    EXPECT_THAT(record.error->message, HasSubstr("host b: bytes verified: "));
    ASSERT_EQ(record.reasons.size(), 2U) << "the host's, and the whole's";
    EXPECT_THAT(record.reasons[0], AllOf(HasSubstr("host b: bytes verified: "), HasSubstr(" planned, ")));
    EXPECT_THAT(record.reasons[1], ::testing::StartsWith("bytes verified: "));
  });
}

TEST(GatherRecord, AFailedJobIsNotGathered) {
  MemoryStore store;
  std::latch all_have_run(kHosts);
  run_job(kHosts, [&](world::Transport& transport) {
    RunRecord record = run_share(transport, store, small_plan(kRanks, 1, 0));
    all_have_run.arrive_and_wait();
    if (transport.index() == 2) transport.failure().raise({ErrorCode::kDiskFull, "no room"});
    const Status gathered = gather_record(record, transport);
    (void)transport.close(kCloseNs);
    if (transport.index() == 1) return;  // it may have sent its part before it heard
    ASSERT_FALSE(gathered);
    EXPECT_EQ(gathered.error().code, ErrorCode::kDiskFull);
    EXPECT_EQ(record.verdict, run::Verdict::kFailed);
    EXPECT_EQ(record.error->code, ErrorCode::kDiskFull);
    EXPECT_EQ(record.hosts.size(), 1U);
    EXPECT_EQ(record.events.front().ranks.size(), kFirst[transport.index() + 1] - kFirst[transport.index()]);
    if (transport.index() != 0) return;
    EXPECT_THAT(record.reasons,
                ElementsAre(HasSubstr("no room"), "the parts of host b, host c are not in this record"));
  });
}

TEST(GatherRecord, ADamagedPartFailsTheJobForAll) {
  MemoryStore store;
  run_job(kHosts, [&](world::Transport& transport) {
    RunRecord record = run_share(transport, store, small_plan(kRanks, 1, 0));
    if (transport.index() == 1) record.events.clear();
    const Status gathered = gather_record(record, transport);
    if (transport.index() == 0) {
      ASSERT_FALSE(gathered);
      EXPECT_EQ(gathered.error().code, ErrorCode::kMpiCommunication);
      EXPECT_THAT(record.reasons, Contains("the parts of host b, host c are not in this record"));
      EXPECT_EQ(record.events.front().ranks.size(), 3U);
    }
    EXPECT_FALSE(transport.close(kCloseNs)) << "everybody hears of it";
  });
}

TEST(MergeParts, BytesCutAnywhereAreE503AndLeaveTheRecordAlone) {
  const Shares shares = run_shares(small_plan(kRanks, 1, 1));
  RunRecord record = shares.records[0];
  const world::Bytes before = pack_part(record);
  std::vector<world::Bytes> sent = shares.sent;
  for (size_t length = 0; length < shares.sent[0].size(); ++length) {
    sent[0] = shares.sent[0].substr(0, length);
    const Status merged = merge_parts(record, sent, shares.members);
    ASSERT_FALSE(merged) << length;
    ASSERT_EQ(merged.error().code, ErrorCode::kMpiCommunication) << length;
    ASSERT_THAT(merged.error().message, HasSubstr("host a"));
  }
  EXPECT_EQ(pack_part(record), before);
}

TEST(MergeParts, PartsThatDoNotFitTogetherAreE503) {
  const CheckpointPlan plan = small_plan(kRanks, 2, 1);
  const Shares shares = run_shares(plan);
  const auto refused = [&](const std::function<void(RunRecord&)>& change) {
    RunRecord other = shares.records[1];
    change(other);
    std::vector<world::Bytes> sent = shares.sent;
    sent[1] = pack_part(other);
    RunRecord record = shares.records[0];
    const Status merged = merge_parts(record, sent, shares.members);
    return !merged && merged.error().code == ErrorCode::kMpiCommunication;
  };
  EXPECT_FALSE(refused([](RunRecord&) {}));
  EXPECT_TRUE(refused([](RunRecord& r) { r.events.pop_back(); })) << "a checkpoint less";
  EXPECT_TRUE(refused([](RunRecord& r) { std::swap(r.events[1], r.events[2]); })) << "another order";
  EXPECT_TRUE(refused([](RunRecord& r) { r.events[1].checkpoint = 1; })) << "another checkpoint";
  EXPECT_TRUE(refused([](RunRecord& r) { r.events[0].phase = static_cast<Phase>(7); })) << "no phase";
  EXPECT_TRUE(refused([](RunRecord& r) { r.events[0].ranks.pop_back(); })) << "a rank less";
  EXPECT_TRUE(refused([](RunRecord& r) { r.events[0].ranks[0].rank = 0; })) << "a rank of another host";
  EXPECT_TRUE(refused([](RunRecord& r) { r.hosts[0].process = 2; })) << "of another process";
  EXPECT_TRUE(refused([](RunRecord& r) { r.hosts[0].first_rank = 4; })) << "a gap between the hosts";
  EXPECT_TRUE(refused([](RunRecord& r) { r.hosts.clear(); })) << "it never ran";
}

TEST(NoteMissingParts, ProcessesOnOneHostAreToldApart) {
  const std::vector<world::Member> members = {{"a", 1, {}}, {"b", 2, {}}, {"b", 3, {}}};
  EXPECT_EQ(run::process_name(members, 0), "host a");
  EXPECT_EQ(run::process_name(members, 2), "host b (process 2)");
  std::vector<std::string> reasons;
  run::note_missing_parts(reasons, world::LocalTransport());
  EXPECT_TRUE(reasons.empty());
  run_job(2, [](world::Transport& transport) {
    std::vector<std::string> mine;
    run::note_missing_parts(mine, transport);
    EXPECT_THAT(mine, ElementsAre(transport.index() == 0 ? "the part of host b is not in this record"
                                                         : "the part of host a is not in this record"));
  });
}

}  // namespace
}  // namespace mlps::checkpointing
