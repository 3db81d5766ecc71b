#include "benchmarks/training/gather_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "../support/job.hpp"
#include "benchmarks/training/gather_steps.hpp"
#include "benchmarks/training/metrics.hpp"
#include "benchmarks/training/step_log.hpp"
#include "small_run.hpp"

namespace mlps::training {
namespace {

using mlps::test::FakeFormat;
using mlps::test::run_job;
using run::HostPart;
using run::Verdict;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint32_t kRanks = 5;
constexpr uint32_t kHostsOfRun = 3;
// Three uneven shares: ranks 0, 1-2, 3-4.
constexpr std::array<uint32_t, kHostsOfRun + 1> kFirst = {0, 1, 3, 5};

/// A job whose processes end as they should, so that all hear of a failure: with close().
void run_closed_job(const std::function<void(world::Transport&)>& work) {
  run_job(kHostsOfRun, [&](world::Transport& transport) {
    work(transport);
    (void)transport.close(60'000'000'000);
  });
}

class GatherRecordTest : public test::SmallRun {
 protected:
  GatherRecordTest() {
    workload_.evaluation = true;
    workload_.dataset.num_files_eval = 10;
    workload_.checkpoint = true;
    workload_.checkpointing.model_bytes = 1000;
  }

  RunRecord run_share(world::Transport& transport) {
    const uint32_t me = transport.index();
    const auto meet = [&transport] { return transport.barrier(); };
    world::World world({kFirst[me], kFirst[me + 1] - kFirst[me], kRanks, me, kHostsOfRun, meet}, transport.failure());
    return run(kRanks, format_, world);
  }

  /// What three hosts found out, before it is gathered.
  void run_shares() {
    run_closed_job([&](world::Transport& transport) { shares_[transport.index()] = run_share(transport); });
    for (const RunRecord& record : shares_) {
      ASSERT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
      sent_.push_back(pack_part(record));
    }
  }

  const FakeFormat format_{1000, {1}};
  std::array<RunRecord, kHostsOfRun> shares_;
  std::vector<world::Bytes> sent_;
  const std::vector<world::Member> members_ = {{"a", 100, {}}, {"b", 101, {}}, {"c", 102, {}}};
};

void expect_same_steps(const std::vector<RankBlock>& ranks, const std::vector<RankBlock>& expected) {
  ASSERT_EQ(ranks.size(), expected.size());
  for (size_t rank = 0; rank < ranks.size(); ++rank) EXPECT_EQ(ranks[rank].steps, expected[rank].steps);
}

void expect_same_shape(const RunRecord& record, const RunRecord& expected) {
  ASSERT_EQ(record.epochs.size(), expected.epochs.size());
  for (size_t i = 0; i < expected.epochs.size(); ++i) {
    const Epoch& epoch = record.epochs[i];
    const Epoch& other = expected.epochs[i];
    ASSERT_EQ(epoch.blocks.size(), other.blocks.size());
    for (size_t b = 0; b < other.blocks.size(); ++b) {
      EXPECT_EQ(epoch.blocks[b].first_step, other.blocks[b].first_step);
      expect_same_steps(epoch.blocks[b].ranks, other.blocks[b].ranks);
    }
    ASSERT_EQ(epoch.evaluation.has_value(), other.evaluation.has_value());
    if (epoch.evaluation) expect_same_steps(epoch.evaluation->ranks, other.evaluation->ranks);
    EXPECT_EQ(epoch.checkpoints.size(), other.checkpoints.size());
  }
}

void expect_same_reads(const ReadStats& stats, const ReadStats& expected) {
  EXPECT_EQ(stats.bytes, expected.bytes);
  EXPECT_EQ(stats.bytes_verified, expected.bytes_verified);
  EXPECT_EQ(stats.extents, expected.extents);
  EXPECT_EQ(stats.parts, expected.parts);
  EXPECT_EQ(stats.part_ns.count(), expected.part_ns.count());
  EXPECT_EQ(stats.extent_ns.count(), expected.extent_ns.count());
}

/// The compute time of every block, summed from the log, is what the block has.
void expect_log_of_all_ranks(const RunRecord& record) {
  for (const Epoch& epoch : record.epochs) {
    for (const Block& block : epoch.blocks) {
      for (uint32_t rank = 0; rank < kRanks; ++rank) {
        Nanos compute = 0;
        ASSERT_TRUE(record.steps->read(rank, block.first_step, block.ranks[rank].steps,
                                       [&](const StepTimes& times) { compute += times.compute_ns; }));
        EXPECT_EQ(compute, block.ranks[rank].compute_ns) << rank;
      }
    }
  }
}

TEST_F(GatherRecordTest, TheRecordOfThreeHostsIsThatOfOne) {
  const RunRecord one = run(kRanks, format_);
  run_closed_job([&](world::Transport& transport) {
    RunRecord record = run_share(transport);
    const uint32_t own_ranks = record.hosts.at(0).ranks;
    ASSERT_TRUE(gather_record(record, transport, ::testing::TempDir()));
    ASSERT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
    if (transport.index() != 0) {
      EXPECT_EQ(record.epochs.front().blocks.front().ranks.size(), own_ranks) << "others keep their share";
      return;
    }
    EXPECT_TRUE(record.reasons.empty());
    expect_same_shape(record, one);
    expect_same_reads(record.stats, one.stats);
    EXPECT_EQ(record.extents_planned, one.extents_planned);
    ASSERT_EQ(record.steps->steps(), one.steps->steps());
    EXPECT_EQ(record.steps->ranks(), kRanks);
    expect_log_of_all_ranks(record);
  });
}

TEST_F(GatherRecordTest, EveryHostHasAnEntry) {
  run_shares();
  RunRecord record = shares_[0];
  ASSERT_TRUE(merge_parts(record, sent_, members_));
  ASSERT_EQ(record.hosts.size(), kHostsOfRun);
  uint64_t read = 0;
  for (uint32_t i = 0; i < kHostsOfRun; ++i) {
    const HostPart& host = record.hosts[i];
    EXPECT_EQ(host.host, members_[i].host);
    EXPECT_EQ(host.pid, members_[i].pid);
    EXPECT_EQ(host.process, i);
    EXPECT_EQ(host.first_rank, kFirst[i]);
    EXPECT_EQ(host.ranks, kFirst[i + 1] - kFirst[i]);
    EXPECT_EQ(host.workers, 3U);
    EXPECT_EQ(host.bytes_written, i == 0 ? 2000U : 0U) << "the first rank saves, after each epoch";
    read += host.bytes_read;
  }
  EXPECT_EQ(read, record.stats.bytes);
}

TEST_F(GatherRecordTest, OnOneHostNothingChanges) {
  RunRecord record = run(kRanks, format_);
  const world::Bytes before = pack_part(record);
  const StepLog* steps = record.steps.get();
  world::LocalTransport transport;
  ASSERT_TRUE(gather_record(record, transport, "/no/such/folder"));
  EXPECT_EQ(pack_part(record), before);
  EXPECT_EQ(record.steps.get(), steps);
  ASSERT_EQ(record.hosts.size(), 1U);
  EXPECT_EQ(record.hosts[0].bytes_read, record.stats.bytes);
}

TEST_F(GatherRecordTest, MomentsAreMovedOntoTheClocksOfProcess0) {
  run_shares();
  RunRecord plain = shares_[0], moved = shares_[0];
  ASSERT_TRUE(merge_parts(plain, sent_, members_));
  std::vector<world::Member> members = members_;
  members[1].clock = {5'000'000'000'000, -7'000'000, 10};
  ASSERT_TRUE(merge_parts(moved, sent_, members));
  const auto expect_moved = [&](const std::vector<RankBlock>& was, const std::vector<RankBlock>& is) {
    for (uint32_t rank = 0; rank < kRanks; ++rank) {
      const bool of_b = rank == 1 || rank == 2;
      const Nanos by_ns = of_b ? 5'000'000'000'000 : 0;
      const int64_t by_us = of_b ? -7'000 : 0;
      EXPECT_EQ(is[rank].start.monotonic_ns, was[rank].start.monotonic_ns - by_ns);
      EXPECT_EQ(is[rank].end.monotonic_ns, was[rank].end.monotonic_ns - by_ns);
      EXPECT_EQ(is[rank].start.wall_us, was[rank].start.wall_us - by_us);
      EXPECT_EQ(is[rank].end.wall_us, was[rank].end.wall_us - by_us);
      EXPECT_EQ(is[rank].compute_ns, was[rank].compute_ns);
    }
  };
  for (size_t i = 0; i < plain.epochs.size(); ++i) {
    expect_moved(plain.epochs[i].blocks[0].ranks, moved.epochs[i].blocks[0].ranks);
    expect_moved(plain.epochs[i].evaluation->ranks, moved.epochs[i].evaluation->ranks);
  }
  EXPECT_NEAR(moved.hosts[1].started_s, plain.hosts[1].started_s - 5000, 1e-6);
  EXPECT_EQ(moved.first_byte_s, moved.hosts[1].first_byte_s) << "the earliest of all hosts";
  EXPECT_EQ(metrics_of(moved).bytes_read_per_s, metrics_of(plain).bytes_read_per_s)
      << "no rate depends on how well clocks agree";

  members[1].clock = {-5'000'000'000'000, 0, 10};
  moved = shares_[0];
  ASSERT_TRUE(merge_parts(moved, sent_, members));
  const double of_b = 5000 + shares_[1].start_up_s +
                      to_seconds(shares_[1].invocation_start.monotonic_ns - shares_[0].invocation_start.monotonic_ns);
  EXPECT_NEAR(moved.start_up_s, of_b, 1e-6) << "the last of all hosts";
  EXPECT_GT(moved.epochs[1].end.monotonic_ns, plain.epochs[1].end.monotonic_ns + 4'999'000'000'000);
}

TEST_F(GatherRecordTest, NumbersAreThoseOfAllRanks) {
  run_shares();
  double throughput = 0, au = 0;
  Nanos overhead = 0;
  for (uint32_t i = 0; i < kHostsOfRun; ++i) {
    RunRecord& record = shares_[i];
    for (RankBlock& rank : record.epochs[0].blocks[0].ranks) {
      rank.au = 10 * (i + 1);
      rank.throughput = i + 1;
      au += rank.au;
      throughput += rank.throughput;
    }
    record.epochs[0].blocks[0].client.overhead_ns = 100 * (i + 1);
    overhead += record.epochs[0].blocks[0].client.overhead_ns;
    record.epochs[0].cache = CacheProbe{i, 10, i, 20, "on " + std::to_string(i)};
    record.stats.cpu_user_s = i;
    record.hosts[0].peak_rss_bytes = i == 1 ? 99 : 5;
    sent_[i] = pack_part(record);
  }
  RunRecord whole = shares_[0];
  ASSERT_TRUE(merge_parts(whole, sent_, members_));
  EXPECT_DOUBLE_EQ(whole.epochs[0].au, au / kRanks);
  EXPECT_DOUBLE_EQ(whole.epochs[0].throughput, throughput);
  EXPECT_EQ(whole.epochs[0].blocks[0].client.overhead_ns, overhead);
  ASSERT_TRUE(whole.epochs[0].cache);
  EXPECT_EQ(whole.epochs[0].cache->files_sampled, 3U);
  EXPECT_EQ(whole.epochs[0].cache->files_total, 30U);
  EXPECT_EQ(whole.epochs[0].cache->cached_bytes, 3U);
  EXPECT_EQ(whole.epochs[0].cache->sampled_bytes, 60U);
  EXPECT_EQ(whole.epochs[0].cache->cached_share(), 0.05);
  EXPECT_EQ(whole.epochs[0].cache->action, "on 0");
  EXPECT_EQ(whole.stats.cpu_user_s, 3);
  EXPECT_EQ(whole.peak_rss_bytes, 99U);
}

TEST_F(GatherRecordTest, AByteThatIsMissingOnOneHostFailsTheWholeAndNamesTheHost) {
  run_closed_job([&](world::Transport& transport) {
    RunRecord record = run_share(transport);
    if (transport.index() == 2) {
      --record.stats.bytes_verified;
      judge(record);
    }
    ASSERT_TRUE(gather_record(record, transport, ::testing::TempDir()));
    if (transport.index() != 0) return;
    EXPECT_EQ(record.verdict, Verdict::kFailed);
    ASSERT_TRUE(record.error);
    EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
    ASSERT_EQ(record.reasons.size(), 2U) << "the host's, and the whole's";
    EXPECT_THAT(record.reasons[0], StartsWith("host c: bytes verified: "));
    EXPECT_THAT(record.reasons[1], StartsWith("bytes verified: "));
  });
}

TEST_F(GatherRecordTest, WhatDoesNotFitFailsTheJobForAllAndLeavesTheShare) {
  run_closed_job([&](world::Transport& transport) {
    RunRecord record = run_share(transport);
    if (transport.index() == 1) record.epochs.pop_back();
    const Status gathered = gather_record(record, transport, ::testing::TempDir());
    ASSERT_FALSE(gathered);
    EXPECT_EQ(gathered.error().code, ErrorCode::kMpiCommunication);
    if (transport.index() != 0) return;
    EXPECT_EQ(record.verdict, Verdict::kFailed);
    EXPECT_EQ(record.epochs.front().blocks.front().ranks.size(), 1U);
    EXPECT_EQ(record.steps->ranks(), 1U);
    EXPECT_THAT(record.reasons, Contains("the parts of host b, host c are not in this record"));
  });
}

TEST_F(GatherRecordTest, AStepLogThatCannotBeWrittenFailsTheJobForAll) {
  run_closed_job([&](world::Transport& transport) {
    RunRecord record = run_share(transport);
    ASSERT_FALSE(gather_record(record, transport, "/no/such/folder"));
    if (transport.index() != 0) return;
    EXPECT_EQ(record.error->code, ErrorCode::kPathNotFound);
    EXPECT_EQ(record.hosts.size(), 1U) << "the record is the share's as a whole";
    EXPECT_EQ(record.epochs.front().blocks.front().ranks.size(), 1U);
  });
}

TEST_F(GatherRecordTest, BytesCutAnywhereAreE503AndLeaveTheRecordAlone) {
  run_shares();
  RunRecord record = shares_[0];
  std::vector<world::Bytes> sent = sent_;
  for (size_t length = 0; length < sent_[0].size(); ++length) {
    sent[0] = sent_[0].substr(0, length);
    const Status merged = merge_parts(record, sent, members_);
    ASSERT_FALSE(merged) << length;
    ASSERT_EQ(merged.error().code, ErrorCode::kMpiCommunication) << length;
    ASSERT_THAT(merged.error().message, HasSubstr("host a"));
  }
  EXPECT_EQ(pack_part(record), sent_[0]);
}

TEST_F(GatherRecordTest, PartsThatDoNotFitTogetherAreE503) {
  run_shares();
  const auto refused = [&](const std::function<void(RunRecord&)>& change) {
    RunRecord other = shares_[1];
    change(other);
    std::vector<world::Bytes> sent = sent_;
    sent[1] = pack_part(other);
    RunRecord record = shares_[0];
    const Status merged = merge_parts(record, sent, members_);
    return !merged && merged.error().code == ErrorCode::kMpiCommunication;
  };
  EXPECT_FALSE(refused([](RunRecord&) {}));
  EXPECT_TRUE(refused([](RunRecord& r) { r.epochs.pop_back(); })) << "an epoch less";
  EXPECT_TRUE(refused([](RunRecord& r) { std::swap(r.epochs[0], r.epochs[1]); })) << "another order";
  EXPECT_TRUE(refused([](RunRecord& r) { r.epochs[0].blocks.pop_back(); })) << "a block less";
  EXPECT_TRUE(refused([](RunRecord& r) { r.epochs[0].blocks[0].ranks.pop_back(); })) << "a rank less";
  EXPECT_TRUE(refused([](RunRecord& r) { ++r.epochs[0].blocks[0].ranks[1].steps; })) << "a step more";
  EXPECT_TRUE(refused([](RunRecord& r) { ++r.epochs[0].blocks[0].first_step; })) << "steps elsewhere in the log";
  EXPECT_TRUE(refused([](RunRecord& r) { r.epochs[1].evaluation.reset(); })) << "no evaluation";
  EXPECT_TRUE(refused([](RunRecord& r) { r.epochs[1].evaluation->ranks.pop_back(); }))
      << "an evaluation with a rank less";
  EXPECT_TRUE(refused([](RunRecord& r) { r.steps_logged = 0; })) << "no steps in the log";
  EXPECT_TRUE(refused([](RunRecord& r) { r.hosts[0].first_rank = 2; })) << "a gap between the hosts";
  EXPECT_TRUE(refused([](RunRecord& r) { r.hosts[0].ranks = 0; })) << "no ranks";
  EXPECT_TRUE(refused([](RunRecord& r) { r.hosts.clear(); })) << "it never ran";
}

// Several MiB of steps, so in several pieces, of uneven hosts.
TEST(GatherStepsTest, RowsOfAllRanksComeTogetherInOrder) {
  constexpr Nanos kSteps = 50'000;
  run_closed_job([&](world::Transport& transport) {
    const uint32_t me = transport.index();
    const uint32_t own = kFirst[me + 1] - kFirst[me];
    auto log = StepLog::create(::testing::TempDir(), own).value();
    for (Nanos step = 0; step < kSteps; ++step) {
      std::vector<StepTimes> row;
      for (uint32_t i = 0; i < own; ++i) row.push_back({step, Nanos{kFirst[me]} + i, -step});
      ASSERT_TRUE(log->append(row));
    }
    ASSERT_TRUE(log->flush());
    const auto whole = gather_steps(log.get(), transport, {1, 2, 2}, ::testing::TempDir());
    ASSERT_TRUE(whole);
    EXPECT_EQ(*whole != nullptr, me == 0);
    if (me != 0) return;
    ASSERT_EQ((*whole)->steps(), static_cast<uint64_t>(kSteps));
    for (uint32_t rank = 0; rank < kRanks; ++rank) {
      Nanos expected = 0, wrong = 0;
      ASSERT_TRUE((*whole)->read(rank, 0, kSteps, [&](const StepTimes& times) {
        const bool right = times.load_ns == expected && times.proc_ns == rank && times.compute_ns == -expected;
        wrong += right ? 0 : 1;
        ++expected;
      }));
      EXPECT_EQ(expected, kSteps);
      EXPECT_EQ(wrong, 0) << rank;
    }
  });
}

TEST(GatherStepsTest, UnequalNumbersOfStepsAreE503) {
  for (const uint32_t short_one : {0U, 1U, 2U}) {
    for (const uint64_t missing : {1U, 20'000U}) {
      run_closed_job([&](world::Transport& transport) {
        auto log = StepLog::create(::testing::TempDir(), 2).value();
        const uint64_t steps = 50'000 - (transport.index() == short_one ? missing : 0);
        ASSERT_TRUE(log->append(std::vector<StepTimes>(2 * steps)));
        ASSERT_TRUE(log->flush());
        const auto whole = gather_steps(log.get(), transport, {2, 2, 2}, ::testing::TempDir());
        if (transport.index() != 0) return;
        ASSERT_FALSE(whole) << short_one << " " << missing;
        EXPECT_EQ(whole.error().code, ErrorCode::kMpiCommunication);
      });
    }
  }
}

}  // namespace
}  // namespace mlps::training
