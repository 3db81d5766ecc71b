#include "benchmarks/kvcache/metrics.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "benchmarks/kvcache/command/prepare.hpp"
#include "benchmarks/kvcache/results/files.hpp"
#include "results/core_config.hpp"

namespace mlps::kvcache {
namespace {

TEST(Percentile, InterpolatesBetweenTwoSamples) {
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4, 5}, 50), 3);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4, 5}, 95), 4.8);
  EXPECT_DOUBLE_EQ(percentile({10, 20}, 99.9), 19.99);
  EXPECT_DOUBLE_EQ(percentile({7}, 50), 7);
}

RankTrial sample_trial(uint32_t trial_number, uint32_t rank) {
  RankTrial trial;
  trial.option = 1;
  trial.trial = trial_number;
  trial.rank = rank;
  trial.seed = 42 + rank;
  trial.elapsed_s = 10;
  trial.served = {{0.04, 0, 0.5, 0.01, 0, 100, 0, true}, {2.0, 1, 1.5, 0.5, 0, 300, 2, false}};
  TierTraffic& storage = trial.tiers[2];
  storage.read = {20 * kGiB, kGiB};
  storage.written = {5 * kGiB, 0};
  storage.demoted_in = {kGiB, 0};
  storage.read_s = storage.read_device_s = {0.1, 0.2};
  storage.write_s = {0.3};
  storage.write_device_s = {0.1 + 0.1 * rank};
  storage.write_host_s = {0.2};
  trial.decode = {9, 1};
  trial.prefix = {0, 2};
  trial.entries[2] = 4;
  trial.reads = 2;
  trial.writes = 1;
  return trial;
}

RunRecord sample_record() {
  RunRecord record;
  record.settings.options = {closed_option(1)};
  record.settings.trials = 2;
  record.ranks = 2;
  record.traits.holds_objects = true;
  for (uint32_t trial = 0; trial < 2; ++trial) {
    for (uint32_t rank = 0; rank < 2; ++rank) record.trials.push_back(sample_trial(trial, rank));
  }
  return record;
}

TEST(OptionResult, SumsRanksAndAveragesTrials) {
  const RunRecord record = sample_record();
  const OptionResult result = option_result(record, record.settings.options[0]);
  EXPECT_DOUBLE_EQ(result.read_gib_per_s, 4);     // 2 ranks x 20 GiB / 10 s; late bytes don't count
  EXPECT_DOUBLE_EQ(result.write_gib_per_s, 1.2);  // demotions do
  EXPECT_DOUBLE_EQ(result.tokens_per_s, 80);
  EXPECT_DOUBLE_EQ(result.tokens_per_storage_s, 400);
  EXPECT_DOUBLE_EQ(*result.p95_request_storage_ms, 1450);
  EXPECT_DOUBLE_EQ(*result.device_write_p95_ms, 200);  // the highest rank
  EXPECT_DOUBLE_EQ(result.good_requests_per_s, 0.2);
  EXPECT_DOUBLE_EQ(*result.attainment, 0.5);
  EXPECT_DOUBLE_EQ(result.hit_rate, 0.75);
}

TEST(RankFile, HasTheFieldsAndFormulas) {
  const RunRecord record = sample_record();
  const auto json = nlohmann::ordered_json::parse(results::rank_file_text(record, record.trials[1]));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  const std::vector<std::string> expected = {"requests_completed",
                                             "total_tokens_generated",
                                             "total_storage_io_latency",
                                             "total_generation_latency",
                                             "end_to_end_latencies",
                                             "storage_latencies",
                                             "generation_latencies",
                                             "throughput_timeline",
                                             "prefill_latencies",
                                             "decode_latencies",
                                             "multi_turn_cache_hits",
                                             "multi_turn_cache_misses",
                                             "seed",
                                             "summary"};
  EXPECT_EQ(keys, expected);
  EXPECT_EQ(json["seed"], 43);
  const auto& summary = json["summary"];
  EXPECT_DOUBLE_EQ(summary["avg_throughput_tokens_per_sec"], 40);
  EXPECT_DOUBLE_EQ(summary["storage_throughput_tokens_per_sec"], 200);
  EXPECT_DOUBLE_EQ(summary["storage_io_latency_ms"]["p50"], 1000);
  const auto& stats = summary["cache_stats"];
  EXPECT_EQ(stats["cache_hits"], 9);
  EXPECT_EQ(stats["cache_misses"], 3);
  EXPECT_DOUBLE_EQ(stats["tier_storage_kv_bytes_written_gb"], 6);
  EXPECT_DOUBLE_EQ(stats["tier_storage_read_bandwidth_gbps"], 2);
  EXPECT_EQ(stats["total_write_bytes"], 5 * kGiB);
  EXPECT_EQ(stats["read_iops"], 2);
  EXPECT_DOUBLE_EQ(stats["storage_write_device_p95_ms"], 200);
  EXPECT_FALSE(stats.contains("gpu_read_p50_ms"));
  EXPECT_EQ(stats["storage_health"]["criteria"].size(), 3u);
  EXPECT_EQ(stats["storage_health"]["criteria"][0]["passed"], true);
  EXPECT_EQ(summary["qos_metrics"]["responsive"]["no_data"], true);
  EXPECT_EQ(summary["qos_metrics"]["batch"]["sla"]["met"], false);
  EXPECT_EQ(summary["multi_turn_stats"]["hit_rate"], 0);
}

TEST(RankFile, WithoutRequestsThereIsNoSummary) {
  RunRecord record = sample_record();
  record.trials[0].served.clear();
  EXPECT_FALSE(nlohmann::json::parse(results::rank_file_text(record, record.trials[0])).contains("summary"));
}

TEST(OptionResult, RatesByDirectionDoNotDependOnTheMix) {
  // Of a rank's 0.6 s of operations half read and half write: each had half of the window of 10 s.
  RunRecord record = sample_record();
  const OptionPlan& option = record.settings.options[0];
  EXPECT_NEAR(*option_result(record, option).while_reading_gib_per_s, 2 * 20 / 5.0, 1e-9);
  EXPECT_NEAR(*option_result(record, option).while_writing_gib_per_s, 2 * 6 / 5.0, 1e-9);
  for (RankTrial& trial : record.trials) {  // three times as many writes of the same pace
    trial.tiers[2].write_s = {0.3, 0.3, 0.3};
    trial.tiers[2].written = {17 * kGiB, 0};
    trial.elapsed_s = 20;
  }
  EXPECT_NEAR(*option_result(record, option).while_reading_gib_per_s, 2 * 20 / 5.0, 1e-9);
  EXPECT_NEAR(*option_result(record, option).while_writing_gib_per_s, 2 * 18 / 15.0, 1e-9);
  for (RankTrial& trial : record.trials) trial.tiers[2].write_s = trial.tiers[2].read_s = {};
  EXPECT_FALSE(option_result(record, option).while_reading_gib_per_s);
}

TEST(Verdict, FailsWhereATrialIsMissingOrStorageWasNotUsed) {
  RunRecord record = sample_record();
  judge(record, 2);
  EXPECT_EQ(record.verdict, run::Verdict::kPassed) << record.reasons.front();
  record.trials.pop_back();
  judge(record, 2);
  EXPECT_EQ(record.verdict, run::Verdict::kFailed);
  EXPECT_EQ(record.reasons.front(), "option 1: 4 trials of ranks planned, 3 done");

  RunRecord idle = sample_record();
  for (RankTrial& trial : idle.trials) trial.tiers[2].read = {};
  judge(idle, 2);
  EXPECT_EQ(idle.verdict, run::Verdict::kFailed);
  EXPECT_EQ(idle.reasons.front(), "option 1: the storage was never read: faster tiers held everything");
}

TEST(Verdict, SaysWhenEntriesWaitedForTheClient) {
  RunRecord record = sample_record();
  EXPECT_TRUE(slow_client(record).empty());
  for (RankTrial& trial : record.trials) trial.client_wait_s = 1;
  ASSERT_EQ(slow_client(record).size(), 1u);
  EXPECT_NEAR(*client_share(record), 4 / (4 + 4 * 0.6), 1e-9);
  EXPECT_NEAR(*harness_share(record), 4 / (4 * (0.04 + 1.0)), 1e-9);
}

TEST(ClosedClass, HasTheHashOfTheRuleForItsTwentyThreeKeys) {
  cli::KvCacheOptions options;
  for (const uint32_t number : {1u, 2u, 3u}) options.settings.options.push_back(closed_option(number));
  const auto prepared = cli::prepare_kvcache(options, Environment());
  ASSERT_TRUE(prepared);
  results::KvCacheContext context;
  context.values = prepared->values;
  context.class_keys = &results::kKvCacheClass;
  const results::CoreConfig core = results::core_config(context);
  EXPECT_EQ(core.keys.size(), 23u);
  EXPECT_EQ(core.hash, "04b508c33b9e34c8");
}

TEST(Record, ComesThroughTheJobAsItWas) {
  const RunRecord record = sample_record();
  const auto packed = world::pack("x", record);
  const auto back = world::unpack<RunRecord>("x", "host b", packed);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->trials.size(), record.trials.size());
  EXPECT_EQ(results::rank_file_text(record, back->trials[3]), results::rank_file_text(record, record.trials[3]));
}

}  // namespace
}  // namespace mlps::kvcache
