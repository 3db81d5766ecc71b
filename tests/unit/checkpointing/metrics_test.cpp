#include "benchmarks/checkpointing/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/units.hpp"

namespace mlps::checkpointing {
namespace {

constexpr Nanos kSecond = 1'000'000'000;

RunRecord record_of(uint32_t ranks, uint64_t bytes_per_rank) {
  RunRecord record;
  record.plan.processes = ranks;
  for (uint32_t rank = 0; rank < ranks; ++rank) {
    RankPlan plan;
    plan.rank = rank;
    plan.model_bytes = bytes_per_rank;
    record.plan.ranks.push_back(plan);
  }
  record.plan.model_bytes = bytes_per_rank * ranks;
  return record;
}

// One checkpoint with the given duration of each rank; the event ends with its slowest rank.
CheckpointEvent event_of(Phase phase, uint32_t checkpoint, const std::vector<Nanos>& durations, uint64_t bytes) {
  CheckpointEvent event;
  event.phase = phase;
  event.checkpoint = checkpoint;
  uint32_t rank = 0;
  for (const Nanos duration : durations) {
    RankInterval interval;
    interval.rank = rank++;
    interval.duration_ns = duration;
    interval.bytes = bytes;
    event.ranks.push_back(interval);
    event.slowest_ns = std::max(event.slowest_ns, duration);
  }
  return event;
}

TEST(SlowClient, IsSaidOfEachPhaseAndMakesThePassedRunNoResult) {
  RunRecord record = record_of(1, kGiB);
  record.plan.checkpoints_to_write = 2;
  record.write.bytes = 2 * kGiB;
  for (const Nanos client : {kSecond / 20, 0L}) {
    record.events.push_back(event_of(Phase::kWrite, 1, {kSecond}, kGiB));
    record.events.back().client_ns = client;
  }
  EXPECT_NEAR(phase_metrics(record, Phase::kWrite)->client_share.value(), 0.025, 1e-9);
  EXPECT_TRUE(slow_client(record, run::kTooSlowClient).empty());
  EXPECT_EQ(
      slow_client(record, run::kSlowClient),
      std::vector<std::string>{"this client is too slow: 2.50 % of the time of the checkpoints' writing the storage "
                               "waited for it"});
  judge(record, record.plan);
  ASSERT_EQ(record.verdict, run::Verdict::kPassed);
  EXPECT_TRUE(record.caveats.empty());
  record.events.back().client_ns = kSecond / 10;
  judge(record, record.plan);
  EXPECT_EQ(record.verdict, run::Verdict::kPassed);
  EXPECT_EQ(record.caveats.size(), 1U);
}

TEST(PopulationStdev, DividesByTheCount) {
  EXPECT_DOUBLE_EQ(population_stdev({2, 4, 4, 4, 5, 5, 7, 9}), 2.0);
  EXPECT_DOUBLE_EQ(population_stdev({3}), 0.0);
  EXPECT_DOUBLE_EQ(population_stdev({}), 0.0);
}

// Ten saves of llama3-70b whose durations were made from ten rates; mean and population deviation of the rates were
// computed apart (Python's statistics). The mean of rates, 50.4, is not the size over the mean duration, 50.356.
TEST(PhaseMetrics, MeanOfRatesOfTenOperations) {
  constexpr uint64_t kCheckpoint = 978'406'572'032;
  RunRecord record = record_of(1, kCheckpoint);
  uint32_t checkpoint = 0;
  for (const Nanos duration : {18944119079, 18334248042, 17902006438, 17422794028, 17797111869, 18596165871,
                               18043804509, 17160303723, 18672379666, 18079605708}) {
    record.events.push_back(event_of(Phase::kWrite, ++checkpoint, {duration}, kCheckpoint));
  }
  const auto metrics = phase_metrics(record, Phase::kWrite);
  ASSERT_TRUE(metrics);
  EXPECT_NEAR(metrics->parity.io_mean_gib_per_s, 50.399999999774344, 1e-9);
  EXPECT_NEAR(metrics->parity.io_stdev_gib_per_s, 1.4866068749575791, 1e-9);
  EXPECT_NEAR(metrics->parity.duration_mean_s, 18.0952538933, 1e-9);
  EXPECT_NEAR(metrics->parity.duration_stdev_s, 0.530767040742847, 1e-9);
  EXPECT_NEAR(metrics->gib_per_s, 50.35641572417698, 1e-9);
}

// The original: rank 0's time, everybody's bytes. Ours: the time until the last rank was done.
TEST(PhaseMetrics, RankZeroFeedsTheOriginalAndTheSlowestRankOurs) {
  RunRecord record = record_of(4, kGiB);
  record.events.push_back(event_of(Phase::kRead, 1, {1 * kSecond, 2 * kSecond, 4 * kSecond, 2 * kSecond}, kGiB));
  record.events.push_back(event_of(Phase::kRead, 2, {2 * kSecond, 2 * kSecond, 2 * kSecond, 4 * kSecond}, kGiB));
  const auto metrics = phase_metrics(record, Phase::kRead);
  ASSERT_TRUE(metrics);
  EXPECT_DOUBLE_EQ(metrics->parity.io_mean_gib_per_s, 3.0);   // (4/1 + 4/2) / 2
  EXPECT_DOUBLE_EQ(metrics->parity.io_stdev_gib_per_s, 1.0);  // of 4 and 2
  EXPECT_DOUBLE_EQ(metrics->parity.duration_mean_s, 1.5);
  EXPECT_DOUBLE_EQ(metrics->parity.duration_stdev_s, 0.5);
  EXPECT_DOUBLE_EQ(metrics->gib_per_s, 1.0);  // 8 GiB in 4 s + 4 s
  EXPECT_DOUBLE_EQ(metrics->slowest_rank_s, 4.0);
  EXPECT_DOUBLE_EQ(metrics->fastest_rank_s, 1.0);
  EXPECT_FALSE(phase_metrics(record, Phase::kWrite));
}

TEST(PhaseMetrics, RanksThatStartLateLengthenTheCheckpoint) {
  RunRecord record = record_of(2, kGiB);
  record.events.push_back(event_of(Phase::kWrite, 1, {kSecond, kSecond}, kGiB));
  record.events.front().slowest_ns = 2 * kSecond;  // the second rank began when the first was done
  EXPECT_DOUBLE_EQ(phase_metrics(record, Phase::kWrite)->gib_per_s, 1.0);
}

TEST(PhaseMetrics, RankZeroIsFoundWhereverItStands) {
  RunRecord record = record_of(2, kGiB);
  record.events.push_back(event_of(Phase::kWrite, 1, {1 * kSecond, 2 * kSecond}, kGiB));
  std::swap(record.events[0].ranks[0], record.events[0].ranks[1]);
  EXPECT_DOUBLE_EQ(phase_metrics(record, Phase::kWrite)->parity.duration_mean_s, 1.0);
}

TEST(PhaseMetrics, NothingWithoutACompletedCheckpoint) {
  RunRecord record = record_of(2, kGiB);
  EXPECT_FALSE(phase_metrics(record, Phase::kWrite));
  record.events.push_back(event_of(Phase::kWrite, 1, {kSecond}, kGiB));  // one of two ranks only
  EXPECT_FALSE(phase_metrics(record, Phase::kWrite));
  record.events.push_back(event_of(Phase::kWrite, 2, {kSecond, kSecond}, kGiB));
  ASSERT_TRUE(phase_metrics(record, Phase::kWrite));
  EXPECT_DOUBLE_EQ(phase_metrics(record, Phase::kWrite)->parity.io_mean_gib_per_s, 2.0);
}

TEST(PhaseMetrics, TimesAndSizesOfZeroGiveZerosNotInfinities) {
  RunRecord record = record_of(1, 0);
  record.events.push_back(event_of(Phase::kWrite, 1, {0}, 0));
  const auto metrics = phase_metrics(record, Phase::kWrite);
  ASSERT_TRUE(metrics);
  for (const double value : {metrics->parity.io_mean_gib_per_s, metrics->parity.io_stdev_gib_per_s, metrics->gib_per_s,
                             metrics->harness_overhead, metrics->prepare_share, metrics->submit_share,
                             metrics->wait_share, metrics->starved_share, metrics->cpu_s_per_gib}) {
    EXPECT_EQ(value, 0.0);
  }
}

TEST(PhaseMetrics, SharesAreOfAllWorkerTime) {
  RunRecord record = record_of(1, kGiB);
  record.events.push_back(event_of(Phase::kRead, 1, {kSecond}, kGiB));
  record.events.front().ranks.front().barrier_ns = kSecond / 4;
  record.read.times = {10, 20, 50, 15, 5, 8};
  record.read.bytes = 2 * kGiB;
  record.read.cpu_user_s = 0.5;
  record.read.cpu_system_s = 1.5;
  const auto metrics = phase_metrics(record, Phase::kRead);
  EXPECT_DOUBLE_EQ(metrics->prepare_share, 0.10);
  EXPECT_DOUBLE_EQ(metrics->submit_share, 0.20);
  EXPECT_DOUBLE_EQ(metrics->wait_share, 0.50);
  EXPECT_DOUBLE_EQ(metrics->starved_share, 0.15);
  EXPECT_DOUBLE_EQ(metrics->harness_overhead, 0.08);
  EXPECT_DOUBLE_EQ(metrics->cpu_s_per_gib, 1.0);
  EXPECT_DOUBLE_EQ(metrics->barrier_mean_s, 0.25);
}

TEST(PhaseMetrics, CachedShareIsOfTheBytesThatWereLookedAt) {
  RunRecord record = record_of(1, kGiB);
  record.events.push_back(event_of(Phase::kRead, 1, {kSecond}, kGiB));
  EXPECT_FALSE(phase_metrics(record, Phase::kRead)->cached_share);
  record.events.push_back(event_of(Phase::kRead, 2, {kSecond}, kGiB));
  record.events.push_back(event_of(Phase::kRead, 3, {kSecond}, kGiB));
  record.events[1].cached_before = storage::Residency{300, 1000};
  record.events[2].cached_before = storage::Residency{0, 3000};
  EXPECT_DOUBLE_EQ(*phase_metrics(record, Phase::kRead)->cached_share, 0.075);
  record.events[1].cached_before = record.events[2].cached_before = storage::Residency{0, 0};
  EXPECT_FALSE(phase_metrics(record, Phase::kRead)->cached_share);
}

}  // namespace
}  // namespace mlps::checkpointing
