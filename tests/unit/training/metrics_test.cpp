#include "benchmarks/training/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace mlps::training {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Nanos kMs = 1'000'000;

RankBlock block_of(uint64_t steps, double au, double throughput) {
  RankBlock block;
  block.steps = steps;
  block.au = au;
  block.throughput = throughput;
  return block;
}

RankBlock times_of(Nanos start, Nanos end, Nanos wait, Nanos barrier, Nanos harness, uint64_t steps) {
  RankBlock block = block_of(steps, 50, 10);
  block.start.monotonic_ns = start;
  block.end.monotonic_ns = end;
  block.wait_ns = wait;
  block.barrier_ns = barrier;
  block.harness_ns = harness;
  return block;
}

// From a published result of MLPerf Storage: with one step excluded, AU over throughput gives 0.16213 s of compute per
// step of 7 samples, against a nominal 0.162 s.
TEST(BlockRates, AuOverThroughputIsTheMeasuredComputeTime) {
  constexpr Nanos kCompute = 162'130'000;
  constexpr Nanos kFirstLoad = 900 * kMs;
  RankBlock block;
  block.steps = 257;
  block.window_compute_ns = 256 * kCompute;
  block.end.monotonic_ns = kFirstLoad + 257 * kCompute + 256 * 3 * kMs;  // 3 ms of loading and barrier per step
  set_rates(block, kFirstLoad + kCompute, {7});
  EXPECT_EQ(block.window_ns, 256 * (kCompute + 3 * kMs));
  EXPECT_NEAR(block.au, 100 * 162.13 / 165.13, 1e-9);
  EXPECT_NEAR(block.throughput, 7 / 0.16513, 1e-9);
  EXPECT_NEAR(block.au / 100 / block.throughput * 7, 0.16213, 1e-12);
}

TEST(BlockRates, BothEndsMayBeExcluded) {
  // 10 steps of 100 ms compute and 10 ms load; the first two and the last are left out.
  RankBlock block;
  block.steps = 10;
  block.end.monotonic_ns = 10 * 110 * kMs;
  block.window_compute_ns = 7 * 100 * kMs;
  set_rates(block, 3 * 110 * kMs, {4, 2, 1});
  EXPECT_NEAR(block.au, 100.0 * 100 / 110, 1e-9);
  EXPECT_NEAR(block.throughput, 4 / 0.110, 1e-9);
}

TEST(BlockRates, AnEmptyWindowIsZero) {
  RankBlock block;
  block.steps = 1;
  block.end.monotonic_ns = 100 * kMs;
  set_rates(block, 90 * kMs, {});
  EXPECT_EQ(block.au, 0);
  EXPECT_EQ(block.throughput, 0);
  block.steps = 5;
  block.window_compute_ns = kMs;
  set_rates(block, 100 * kMs, {});
  EXPECT_EQ(block.au, 0) << "T is 0";
  block.steps = 0;
  set_rates(block, 100 * kMs, {});
  EXPECT_EQ(block.throughput, 0);
}

// Section 6.2.
TEST(Epochs, BlocksCountByTheirStepsRanksEqually) {
  Epoch epoch;
  epoch.blocks = {{{block_of(300, 90, 40), block_of(300, 70, 20)}, 0, {}},
                  {{block_of(100, 50, 20), block_of(100, 70, 20)}, 300, {}}};
  sum_up(epoch);
  EXPECT_NEAR(epoch.au, ((90.0 * 3 + 50) / 4 + 70) / 2, 1e-12);
  EXPECT_NEAR(epoch.throughput, (40.0 * 3 + 20) / 4 + 20, 1e-12) << "the sum over ranks";
  Epoch empty;
  sum_up(empty);
  EXPECT_EQ(empty.au, 0);
}

RunRecord record_of_one_second(const ClientTime& client) {
  RunRecord record;
  Epoch epoch;
  epoch.blocks = {{{}, 0, client}};
  epoch.io_thread_ns = 4'000 * kMs;
  record.epochs = {epoch};
  return record;
}

TEST(ClientShares, AreWhatWasNotComputingAndNotTheStorage) {
  RunRecord record = record_of_one_second({1'000 * kMs, 20 * kMs, 400 * kMs});
  EXPECT_NEAR(client_shares(record.epochs).training.value_or(-1), 0.02, 1e-12);
  EXPECT_EQ(client_shares(record.epochs).evaluation, std::nullopt) << "there was none";
  EXPECT_EQ(client_shares({}).training, std::nullopt);
  // A tenth of the I/O threads' time they waited for a processor: a tenth of the wait for data was no storage's.
  record.epochs[0].pressure.threads_ns = 400 * kMs;
  EXPECT_NEAR(client_shares(record.epochs).training.value_or(-1), 0.02 + 0.04, 1e-12);
  record.epochs[0].pressure.threads_ns = 9'000 * kMs;
  EXPECT_NEAR(client_shares(record.epochs).training.value_or(-1), 0.02 + 0.4, 1e-12) << "never more than the wait";
  record.epochs[0].evaluation.emplace().client = {100 * kMs, 7 * kMs, 0};
  record.epochs[0].checkpoints = {{1, 1, {}, 200 * kMs, 5, 50 * kMs}};
  EXPECT_NEAR(client_shares(record.epochs).evaluation.value_or(-1), 0.07, 1e-12);
  EXPECT_NEAR(client_shares(record.epochs).checkpoints.value_or(-1), 0.25, 1e-12);
  record.epochs[0].checkpoints[0].client_ns.reset();
  EXPECT_EQ(client_shares(record.epochs).checkpoints, std::nullopt) << "without a storage nothing waits";
}

TEST(ClientShares, AreSaidWithWhatIsKnownOfTheCause) {
  RunRecord record = record_of_one_second({1'000 * kMs, 30 * kMs, 0});
  record.epochs[0].blocks[0].ranks = {times_of(0, 1'000 * kMs, 0, 0, 0, 10)};
  record.epochs[0].blocks[0].ranks[0].drawn_ns = 500 * kMs;
  record.epochs[0].blocks[0].ranks[0].compute_ns = 1'400 * kMs;
  record.epochs[0].pressure.throttled_ns = 2'000 * kMs;
  EXPECT_THAT(slow_client(record, run::kTooSlowClient), IsEmpty());
  EXPECT_THAT(slow_client(record, run::kSlowClient),
              ElementsAre("this client is too slow: 3.00 % of the time of training the storage waited for it; the "
                          "accelerators computed 2.800 times as long as they should have; the quota of a control group "
                          "held back processors for 2 s"));
}

TEST(ClientShares, AboveTheLimitThereIsNoSuccess) {
  RunRecord record = record_of_one_second({1'000 * kMs, 60 * kMs, 0});
  record.plan.epochs = 1;
  record.au_threshold = 0.9;
  record.epochs[0].au = 99;
  EXPECT_TRUE(metrics_of(record).meets_expectation);
  judge(record);
  EXPECT_EQ(record.verdict, run::Verdict::kPassed);
  EXPECT_EQ(record.caveats.size(), 1U);
  EXPECT_FALSE(metrics_of(record).meets_expectation);
  EXPECT_EQ(metrics_of(record).au_overall.mean, 99) << "the original's formula stays";
}

TEST(Epochs, DeviationIsThePopulations) {
  const MeanAndDeviation result = mean_and_deviation({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(result.mean, 5);
  EXPECT_EQ(result.deviation, 2);
  EXPECT_EQ(mean_and_deviation({3}).deviation, 0);
  EXPECT_EQ(mean_and_deviation({}).mean, 0);
}

RunRecord record_with(std::vector<std::pair<double, double>> epochs, double record_bytes, double threshold) {
  RunRecord record;
  record.record_bytes = record_bytes;
  record.au_threshold = threshold;
  for (const auto& [au, throughput] : epochs) {
    Epoch epoch;
    epoch.au = au;
    epoch.throughput = throughput;
    record.epochs.push_back(epoch);
  }
  return record;
}

// Published pairs of samples/s and MiB/s, section 9.1.
TEST(Metrics, RatesInMibAreSamplesTimesRecordLength) {
  EXPECT_NEAR(metrics_of(record_with({{96, 485.0}}, 322957, 0.85)).io_mean_mib_per_s, 149.4, 0.05);
  EXPECT_NEAR(metrics_of(record_with({{96, 964.1}}, 322957, 0.85)).io_mean_mib_per_s, 296.9, 0.05);
  EXPECT_NEAR(metrics_of(record_with({{96, 1918.9}}, 322957, 0.85)).io_mean_mib_per_s, 591.0, 0.05);
  EXPECT_NEAR(metrics_of(record_with({{8, 2053984}}, 761, 0.7)).io_mean_mib_per_s, 1490.7, 0.05);
}

TEST(Metrics, MeansOverEpochs) {
  const Metrics metrics = metrics_of(record_with({{88, 100}, {92, 140}}, 1048576, 0.9));
  EXPECT_THAT(metrics.au, ElementsAre(88, 92));
  EXPECT_THAT(metrics.throughput, ElementsAre(100, 140));
  EXPECT_EQ(metrics.au_overall.mean, 90);
  EXPECT_EQ(metrics.au_overall.deviation, 2);
  EXPECT_EQ(metrics.io_mean_mib_per_s, 120);
  EXPECT_EQ(metrics.io_deviation_mib_per_s, 20);
  EXPECT_TRUE(metrics.meets_expectation) << "the threshold itself is enough";
  EXPECT_FALSE(metrics_of(record_with({{88, 1}, {91.9, 1}}, 1, 0.9)).meets_expectation);
  EXPECT_FALSE(metrics_of(record_with({}, 1, 0)).meets_expectation) << "nothing was measured";
  EXPECT_THAT(metrics.eval_au, IsEmpty());
}

TEST(Metrics, WhereTheTimeWent) {
  RunRecord record = record_with({{0, 0}}, 1000, 0.9);
  record.stats.bytes = 9'000'000;  // with those of an evaluation, or of an epoch that was not finished
  record.epochs[0].training_bytes = 3'000'000;
  // Two ranks, 1 s each: 200 + 100 ms of waiting for data, 50 + 150 for each other, 10 + 30 of ours; then one block of
  // 500 ms that is all computing.
  record.epochs[0].blocks = {
      {{times_of(0, 1000 * kMs, 200 * kMs, 50 * kMs, 10 * kMs, 40),
        times_of(0, 1000 * kMs, 100 * kMs, 150 * kMs, 30 * kMs, 40)},
       0,
       {0, 3 * kMs, 0}},
      {{times_of(2000 * kMs, 2500 * kMs, 0, 0, 0, 10), times_of(2000 * kMs, 2500 * kMs, 0, 0, 0, 10)},
       40,
       {0, 1 * kMs, 0}}};
  const Metrics metrics = metrics_of(record);
  EXPECT_NEAR(metrics.bytes_read_per_s, 3e6 / 1.5, 1e-6) << "time between blocks doesn't count";
  EXPECT_NEAR(metrics.storage_wait_share, 300.0 / 3000, 1e-12);
  EXPECT_NEAR(metrics.barrier_share, 200.0 / 3000, 1e-12);
  EXPECT_NEAR(metrics.harness_share, 40.0 / 3000, 1e-12);
  EXPECT_NEAR(metrics.compute_share, 1 - 540.0 / 3000, 1e-12) << "together 1";
  EXPECT_EQ(metrics.demand_bytes_per_s, 0) << "nothing was drawn";
  record.epochs[0].blocks[0].ranks[0].drawn_ns = 1200 * kMs;  // 600 ms of each rank
  EXPECT_NEAR(metrics_of(record).demand_bytes_per_s, 3e6 / 0.6, 1e-6);
  EXPECT_NEAR(metrics_of(record).served_share, 0.6 / 1.5, 1e-12);
  EXPECT_NEAR(metrics.harness_ns_per_step, 4.0 * kMs / 100, 1e-6);
}

TEST(Metrics, TheSlowestRankIsAMeanOverEpochs) {
  RunRecord record = record_with({{0, 0}, {0, 0}}, 1, 0.9);
  record.epochs[0].blocks = {{{block_of(10, 90, 1), block_of(10, 60, 1), block_of(10, 80, 1)}, 0, {}}};
  record.epochs[1].blocks = {{{block_of(10, 70, 1), block_of(10, 80, 1), block_of(10, 84, 1)}, 0, {}}};
  EXPECT_NEAR(metrics_of(record).slowest_rank_au, 70, 1e-12);
  EXPECT_NEAR(metrics_of(record).fastest_rank_au, 82, 1e-12);
}

TEST(Metrics, EvaluationsAndCheckpoints) {
  RunRecord record = record_with({{90, 1}, {90, 1}}, 1, 0.9);
  record.epochs[0].evaluation = Evaluation{{}, {}, {block_of(4, 50, 10), block_of(4, 70, 30)}, {}};
  record.epochs[1].checkpoints = {{2, 257, {}, 500 * kMs, uint64_t{1} << 30}};
  const Metrics metrics = metrics_of(record);
  EXPECT_THAT(metrics.eval_au, ElementsAre(60));
  EXPECT_THAT(metrics.eval_throughput, ElementsAre(40));
  EXPECT_EQ(metrics.eval_au_overall.mean, 60);
  EXPECT_THAT(metrics.save_seconds, ElementsAre(0.5));
  EXPECT_THAT(metrics.save_gib_per_s, ElementsAre(2.0));
}

}  // namespace
}  // namespace mlps::training
