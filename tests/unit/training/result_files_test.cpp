#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <tuple>

#include "../results/sample.hpp"
#include "base/units.hpp"
#include "benchmarks/training/results/dlio_files.hpp"
#include "benchmarks/training/results/files.hpp"
#include "benchmarks/training/step_log.hpp"

namespace mlps::results {
namespace {

using nlohmann::ordered_json;
using sample::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Nanos kMs = 1'000'000;

Stamp stamp_at(Nanos after_start) {
  return {sample::kMonotonicNs + after_start, sample::kWallUs + after_start / 1000};
}

training::RankBlock block(uint64_t steps, Nanos start, Nanos end, double au, double throughput) {
  training::RankBlock result;
  result.steps = steps;
  result.start = stamp_at(start);
  result.end = stamp_at(end);
  result.au = au;
  result.throughput = throughput;
  result.compute_ns = static_cast<Nanos>(steps) * 10 * kMs;
  return result;
}

// Step s (from 0, over the whole run) of rank r: waits s + 1 ms and r us for its batch, then computes 10 ms.
std::shared_ptr<training::StepLog> steps_in(const std::string& folder, uint64_t steps) {
  auto log = training::StepLog::create(folder, 2);
  EXPECT_TRUE(log);
  for (uint64_t step = 0; step < steps; ++step) {
    std::vector<training::StepTimes> ranks(2);
    for (uint32_t rank = 0; rank < 2; ++rank) {
      ranks[rank].load_ns = static_cast<Nanos>(step + 1) * kMs + rank * 1000;
      ranks[rank].compute_ns = 10 * kMs;
      ranks[rank].proc_ns = ranks[rank].load_ns + ranks[rank].compute_ns;
    }
    EXPECT_TRUE((*log)->append(ranks));
  }
  EXPECT_TRUE((*log)->flush());
  return *log;
}

/// 2 ranks read 10 files of 2 MiB twice, batch 1, 5 steps an epoch. Epoch 1 has a checkpoint of 1 GiB in 0.5 s after
/// step 2, so two blocks. AU 80 % and 90 %, 20 and 40 samples/s.
training::RunRecord record_in(const TemporaryFolder& root) {
  training::RunRecord record;
  record.model = "unet3d";
  record.run_start = stamp_at(0);
  record.run_end = stamp_at(4000 * kMs);
  record.plan.accelerators = 2;
  record.plan.epochs = 2;
  record.plan.files = 10;
  record.plan.steps_per_epoch = 5;
  record.record_bytes = 2.0 * kMiB;
  record.au_threshold = 0.85;
  record.excluded_start = 1;
  record.location = "s3://bucket/unet3d";
  record.verdict = run::Verdict::kPassed;
  record.steps = steps_in(root.path(), 10);
  for (uint32_t number : {1U, 2U}) {
    training::Epoch epoch;
    epoch.number = number;
    epoch.start = stamp_at((number - 1) * 2000 * kMs);
    epoch.end = stamp_at((number - 1) * 2000 * kMs + 1234 * kMs);
    epoch.trained = epoch.end;
    epoch.au = number == 1 ? 80 : 90;
    epoch.throughput = number == 1 ? 20 : 40;
    record.epochs.push_back(epoch);
  }
  record.epochs[0].blocks = {{{block(2, 0, 100 * kMs, 70, 9), block(2, 0, 100 * kMs, 74, 9)}, 0, 0},
                             {{block(3, 600 * kMs, 700 * kMs, 90, 11), block(3, 600 * kMs, 700 * kMs, 88, 11)}, 2, 0}};
  record.epochs[0].checkpoints = {{1, 2, stamp_at(100 * kMs), 500 * kMs, kGiB}};
  record.epochs[1].blocks = {
      {{block(5, 2000 * kMs, 2100 * kMs, 90, 20), block(5, 2000 * kMs, 2100 * kMs, 90, 20)}, 5, 0}};
  return record;
}

RunContext context_in(const TemporaryFolder& root) {
  RunContext context = sample::context(root.path());
  context.benchmark = "training";
  context.model = "unet3d";
  context.workload_name = "unet3d_b200";
  context.accelerator = "b200";
  context.values = {{"train.computation_time", {"0.162", workloads::ValueSource::kWorkloadFile}}};
  return context;
}

RunFolder training_folder_of(const TemporaryFolder& root) {
  return {root.path(), "20260704_050040"};
}

ordered_json rank_output(const RunContext& context, const training::RunRecord& record, uint32_t rank) {
  std::string text;
  EXPECT_TRUE(write_rank_output(context, record, rank, [&](std::string_view piece) -> Status {
    text += piece;
    return {};
  }));
  return ordered_json::parse(text);
}

TEST(TrainingSummary, NumbersWorkedByHand) {
  const TemporaryFolder root;
  const training::RunRecord record = record_in(root);
  const ordered_json json = ordered_json::parse(summary_text(context_in(root), record));
  EXPECT_EQ(json["start"], "2026-07-04T05:00:40.123456");
  EXPECT_EQ(json["num_accelerators"], 2);
  EXPECT_EQ(json["num_files_train"], 10);
  EXPECT_EQ(json["epochs"], 2);
  EXPECT_DOUBLE_EQ(json["data_size_per_host_GB"].get<double>(), 20.0 / 1024);
  EXPECT_EQ(json["potential_caching"], ordered_json::array({1}));
  const ordered_json& metric = json["metric"];
  EXPECT_EQ(metric["train_au_percentage"], ordered_json::array({80.0, 90.0}));
  EXPECT_DOUBLE_EQ(metric["train_au_mean_percentage"].get<double>(), 85);
  EXPECT_DOUBLE_EQ(metric["train_au_stdev_percentage"].get<double>(), 5);  // population
  EXPECT_EQ(metric["train_au_meet_expectation"], "success");               // 85 is enough for 85
  EXPECT_DOUBLE_EQ(metric["train_throughput_mean_samples_per_second"].get<double>(), 30);
  EXPECT_DOUBLE_EQ(metric["train_throughput_stdev_samples_per_second"].get<double>(), 10);
  EXPECT_DOUBLE_EQ(metric["train_io_mean_MB_per_second"].get<double>(), 60);
  EXPECT_DOUBLE_EQ(metric["train_io_stdev_MB_per_second"].get<double>(), 20);
  EXPECT_DOUBLE_EQ(metric["save_checkpoint_io_mean_GB_per_second"].get<double>(), 2);
  EXPECT_DOUBLE_EQ(metric["save_checkpoint_duration_mean_seconds"].get<double>(), 0.5);
  EXPECT_DOUBLE_EQ(metric["checkpoint_size_GB"].get<double>(), 1);
  EXPECT_FALSE(metric.contains("eval_au_percentage"));
}

TEST(TrainingSummary, AThresholdMissedByAHairIsMissed) {
  const TemporaryFolder root;
  training::RunRecord record = record_in(root);
  record.au_threshold = 0.8501;
  EXPECT_EQ(ordered_json::parse(summary_text(context_in(root), record))["metric"]["train_au_meet_expectation"], "fail");
  EXPECT_THAT(result_table(record), HasSubstr("fail  ***  AU 85.0000 % is below 85.01 %"));
  EXPECT_THAT(dlio_log_text(context_in(root), record), HasSubstr("[METRIC] train_au_meet_expectation: fail\n"));
}

// floor(ranks of the largest host x 1 x 10 / 5) = 8 samples of 2 MiB.
TEST(TrainingSummary, OfManyHosts) {
  const TemporaryFolder root;
  training::RunRecord record = record_in(root);
  record.plan.accelerators = 5;
  RunContext context = context_in(root);
  sample::use_three_processes(context, 1, 2);
  context.members[0].facts.memory.total = 16 * kMiB;
  const ordered_json json = ordered_json::parse(summary_text(context, record));
  EXPECT_EQ(json["num_hosts"], 2);
  EXPECT_DOUBLE_EQ(json["data_size_per_host_GB"].get<double>(), 16.0 / 1024);
  EXPECT_EQ(json["potential_caching"], ordered_json({0, 1}));
  EXPECT_EQ(json["host_cpu_count"], ordered_json({8, 12}));
}

// Of 7 samples, 4 of 5 ranks read 5.6: the original takes 5.
TEST(TrainingSummary, DataSizePerHostIsRoundedDownToASample) {
  const TemporaryFolder root;
  training::RunRecord record = record_in(root);
  record.plan.accelerators = 5;
  record.plan.files = 7;
  RunContext context = context_in(root);
  sample::use_three_processes(context, 1, 2);
  const ordered_json json = ordered_json::parse(summary_text(context, record));
  EXPECT_DOUBLE_EQ(json["data_size_per_host_GB"].get<double>(), 10.0 / 1024);
}

TEST(RankOutput, HasTheFactsOfTheRanksHost) {
  const TemporaryFolder root;
  const training::RunRecord record = record_in(root);
  RunContext context = context_in(root);
  sample::use_three_processes(context, 1, 1);
  for (const auto& [rank, host, memory] : {std::tuple{0U, "b", 64.0}, std::tuple{1U, "a", 80.0}}) {
    const ordered_json json = rank_output(context, record, rank);
    EXPECT_EQ(json["hostname"], host);
    EXPECT_EQ(json["host_memory_GB"], memory);
  }
}

TEST(RankOutput, HoldsEveryStepOfTheRank) {
  const TemporaryFolder root;
  const ordered_json json = rank_output(context_in(root), record_in(root), 1);
  const ordered_json& first = json["1"];
  EXPECT_EQ(first["load"]["block1"], ordered_json::array({0.001001, 0.002001}));
  EXPECT_EQ(first["load"]["block2"], ordered_json::array({0.003001, 0.004001, 0.005001}));
  EXPECT_EQ(first["proc"]["block2"], ordered_json::array({0.013001, 0.014001, 0.015001}));
  EXPECT_EQ(first["compute"]["block1"], ordered_json::array({0.01, 0.01}));
  EXPECT_EQ(first["au"]["block1"], 74.0);
  EXPECT_EQ(first["throughput"]["block2"], 11.0);
  EXPECT_EQ(first["end"], "2026-07-04T05:00:41.357456");
  EXPECT_EQ(json["2"]["load"]["block1"].size(), 5U);
  EXPECT_EQ(json["2"]["load"]["block1"][4], 0.010001);
  EXPECT_EQ(json["hostname"], "node1");
  EXPECT_EQ(json["host_memory_GB"], 64.0);
}

TEST(RankOutput, LooksAsDlioWritesIt) {
  const TemporaryFolder root;
  training::RunRecord record = record_in(root);
  record.epochs.erase(record.epochs.begin());
  record.epochs[0].blocks[0].ranks[0].steps = 1;
  std::string text;
  ASSERT_TRUE(write_rank_output(context_in(root), record, 0, [&](std::string_view piece) -> Status {
    text += piece;
    return {};
  }));
  EXPECT_TRUE(text.starts_with("{\n    \"host_memory_GB\": 64.0,\n")) << text;
  EXPECT_THAT(text, HasSubstr("    \"2\": {\n        \"load\": {\n            \"block1\": [\n                "
                              "0.006000000\n            ]\n        },\n        \"proc\": {"));
  EXPECT_TRUE(text.ends_with("    },\n    \"hostname\": \"node1\"\n}\n")) << text;
}

// The file of one rank of many must not cost the reading of all.
TEST(RankOutput, OfManyRanksHasTheStepsOfItsOwn) {
  const TemporaryFolder root;
  constexpr uint32_t kRanks = 100;
  const auto log = training::StepLog::create(root.path(), kRanks);
  ASSERT_TRUE(log);
  for (Nanos step = 0; step < 3; ++step) {
    std::vector<training::StepTimes> ranks(kRanks);
    for (uint32_t rank = 0; rank < kRanks; ++rank) ranks[rank].load_ns = 1000 * step + rank;
    ASSERT_TRUE((*log)->append(ranks));
  }
  ASSERT_TRUE((*log)->flush());
  std::vector<Nanos> loads;
  ASSERT_TRUE((*log)->read(99, 1, 2, [&](const training::StepTimes& step) { loads.push_back(step.load_ns); }));
  EXPECT_THAT(loads, ElementsAre(1099, 2099));
  EXPECT_FALSE((*log)->read(0, 2, 2, [](const training::StepTimes&) {})) << "there is no fourth step";
}

TEST(TrainingFiles, ASignalWhileTheFilesOfTheRanksAreWrittenLeavesTheRest) {
  const TemporaryFolder root;
  const RunContext context = context_in(root);
  RunOutcome outcome = sample::outcome();
  int asked = 0;
  outcome.interrupted = [&]() -> std::optional<Error> {
    if (++asked < 2) return std::nullopt;
    return Error{ErrorCode::kInterrupted, "interrupted by SIGTERM"};
  };
  ASSERT_TRUE(write_started(training_folder_of(root), context, record_in(root), "Plan\n"));
  const Status written = write_finished(training_folder_of(root), context, record_in(root), "Plan\n", outcome);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kInterrupted);
  EXPECT_THAT(root.files(), ::testing::IsSupersetOf({"0_output.json", "INCOMPLETE", "mlpstorage_record.json"}));
  EXPECT_THAT(root.files(), Not(::testing::Contains("1_output.json")));
  EXPECT_EQ(root.json("mlpstorage_record.json")["verdict"], "passed");
}

TEST(RankOutput, AFullDiskIsReported) {
  const TemporaryFolder root;
  const Status status = write_rank_output(context_in(root), record_in(root), 0, [](std::string_view) -> Status {
    return fail(ErrorCode::kDiskFull, "full");
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDiskFull);
}

TEST(RankOutput, AStepLogThatCantBeReadIsReported) {
  const TemporaryFolder root;
  training::RunRecord record = record_in(root);
  record.epochs[1].blocks[0].first_step = 1'000;
  EXPECT_FALSE(write_rank_output(context_in(root), record, 0, [](std::string_view) -> Status { return {}; }));
}

TEST(RankStats, DurationsAreTextAndThoseOfCheckpointsNumbers) {
  const TemporaryFolder root;
  const ordered_json json = ordered_json::parse(rank_stats_text(record_in(root), 0));
  const ordered_json& epoch = json["1"];
  std::vector<std::string> keys;
  for (const auto& item : epoch.items()) keys.push_back(item.key());
  EXPECT_THAT(keys, ElementsAre("start", "block1", "block2", "save_ckpt1", "end", "duration"));
  EXPECT_EQ(epoch["duration"], "1.23");
  EXPECT_EQ(epoch["block1"]["duration"], "0.10");
  EXPECT_EQ(epoch["save_ckpt1"]["duration"], 0.5);
  EXPECT_EQ(epoch["save_ckpt1"]["throughput"], 2.0);
  EXPECT_EQ(epoch["save_ckpt1"]["end"], "2026-07-04T05:00:40.723456");
}

TEST(DlioLog, BlocksAndTheMetricBlock) {
  const TemporaryFolder root;
  const std::string text = dlio_log_text(context_in(root), record_in(root));
  EXPECT_THAT(text, HasSubstr("Starting epoch 1: 5 steps expected\n"));
  EXPECT_THAT(text, HasSubstr("Ending block 2 - 3 steps completed in 0.10 s\n"));
  // Rank 0's value times the ranks.
  EXPECT_THAT(text, HasSubstr("Epoch 1 - Block 1 [Training] Throughput (samples/second): 18.0000\n"));
  EXPECT_THAT(text, HasSubstr("Epoch 1 - Block 2 [Training] Computation time per step (second): 0.0100+/-0.0000 (set "
                              "value: 0.162)\n"));
  EXPECT_THAT(text, HasSubstr("Starting saving checkpoint 1 after total step 2 for epoch 1\n"));
  EXPECT_THAT(text, HasSubstr("Finished saving checkpoint 1 for epoch 1 in 0.5000 s; Throughput: 2.0000 GiB/s\n"));
  EXPECT_THAT(text, HasSubstr("Ending epoch 1 - 5 steps completed in 1.23 s\n"));
  EXPECT_THAT(text, HasSubstr("[METRIC] Number of Simulated Accelerators: 2\n"
                              "[METRIC] Training Accelerator Utilization [AU] (%): 85.0000 (5.0000)\n"
                              "[METRIC] Training Throughput (samples/second): 30.0000 (10.0000)\n"
                              "[METRIC] Training I/O Throughput (MiB/second): 60.0000 (20.0000)\n"
                              "[METRIC] train_au_meet_expectation: success\n"));
}

/// The record above with everything that may be in one: an evaluation of 4 steps in 0.1 s, a page cache.
training::RunRecord full_record_in(const TemporaryFolder& root) {
  training::RunRecord record = record_in(root);
  record.plan.eval_steps = 4;
  record.plan.checkpoints = {{1, 2, 2}};
  record.plan.eval_epochs = {2};
  training::Epoch& epoch = record.epochs[1];
  epoch.evaluation.emplace().start = stamp_at(3000 * kMs);
  epoch.evaluation->end = stamp_at(3100 * kMs);
  epoch.evaluation->ranks = {block(4, 3000 * kMs, 3100 * kMs, 95, 40), block(4, 3000 * kMs, 3100 * kMs, 85, 40)};
  epoch.end = stamp_at(3234 * kMs);
  epoch.trained = stamp_at(2500 * kMs);
  epoch.cache = training::CacheProbe{10, 10, 50, 100, "evicted"};
  record.epochs[0].cache = training::CacheProbe{{}, 10, {}, {}, "what was cached is unknown"};
  record.epochs[0].checkpoints[0].client_ns = 5;
  record.series.at(3).bytes = 7;
  record.stats.part_ns.record(1000);
  return record;
}

TEST(DlioLog, AnEvaluationHasTheLinesOfTheOriginal) {
  const TemporaryFolder root;
  const std::string text = dlio_log_text(context_in(root), full_record_in(root));
  EXPECT_THAT(text, HasSubstr("Starting eval - 4 steps expected\n"));
  EXPECT_THAT(text, HasSubstr("Ending eval - 4 steps completed in 0.10 s\n"));
  EXPECT_THAT(text, HasSubstr("Epoch 2 [Eval] Accelerator Utilization [AU] (%): 95.0000\n"));
  EXPECT_THAT(text, HasSubstr("Epoch 2 [Eval] Throughput (samples/second): 80.0000\n"));
  EXPECT_THAT(text, HasSubstr("[METRIC] Eval Throughput (samples/second): 80.0000 (0.0000)\n"
                              "[METRIC] Eval Throughput (MiB/second): 160.0000 (0.0000)\n"
                              "[METRIC] eval_au_meet_expectation: success\n"));
  // Its duration is that of training.
  EXPECT_THAT(text, HasSubstr("Ending epoch 2 - 5 steps completed in 0.50 s\n"));
  EXPECT_EQ(ordered_json::parse(rank_stats_text(full_record_in(root), 0))["2"]["duration"], "0.50");
}

TEST(TrainingFiles, EveryPartOfARecordIsInItsSchema) {
  const TemporaryFolder root;
  RunOutcome outcome = sample::outcome();
  outcome.findings.no_series_because = "--skip-timeseries";
  outcome.host_ends = {sample::facts("node1")};
  ASSERT_TRUE(write_finished(training_folder_of(root), context_in(root), full_record_in(root), "Plan\n", outcome));
  const ordered_json json = root.json("mlpstorage_record.json");
  const ordered_json& unknown = json["epochs"][0]["cache"];
  EXPECT_TRUE(unknown["cached_bytes"].is_null() && unknown["sampled_bytes"].is_null());
  EXPECT_TRUE(unknown["cached_share"].is_null() && unknown["files_sampled"].is_null());
  EXPECT_EQ(unknown["action"], "what was cached is unknown");
  EXPECT_EQ(json["epochs"][1]["cache"]["cached_share"], 0.5);
  EXPECT_EQ(json["epochs"][1]["training_s"], 0.5);
  EXPECT_TRUE(json["per_second"]["cached_share"].is_null());
}

TEST(TrainingFiles, ARunThatDidNotPassHasNoSummaryAndNoMetric) {
  const TemporaryFolder root;
  training::RunRecord record = record_in(root);
  record.verdict = run::Verdict::kFailed;
  record.reasons = {"rank 1 read other bytes"};
  record.error = Error{ErrorCode::kDataMismatch, "other bytes"};
  RunOutcome outcome = sample::outcome();
  outcome.exit_status = 6;
  const RunContext context = context_in(root);
  ASSERT_TRUE(write_started(training_folder_of(root), context, record, "Plan\n"));
  EXPECT_EQ(root.json("mlpstorage_record.json")["verdict"], "incomplete");
  ASSERT_TRUE(write_finished(training_folder_of(root), context, record, "Plan\n", outcome));
  EXPECT_THAT(root.files(), Not(::testing::Contains("summary.json")));
  EXPECT_THAT(root.text("dlio.log"), Not(HasSubstr("[METRIC]")));
  EXPECT_THAT(root.text("dlio.log"), HasSubstr("verdict is 'failed'"));
  const ordered_json metadata = root.json("training_20260704_050040_metadata.json");
  EXPECT_EQ(metadata["benchmark_type"], "training");
  EXPECT_EQ(metadata["verification"], "INVALID");
  EXPECT_EQ(metadata["exit_status"], 6);
  EXPECT_EQ(metadata["accelerator"], "b200");
  EXPECT_THAT(root.text("training_run.stdout.log"), HasSubstr("[E606] other bytes"));
}

TEST(TrainingFiles, ThePassedRun) {
  const TemporaryFolder root;
  const training::RunRecord record = record_in(root);
  RunContext context = context_in(root);
  context.manifest_snapshot = "{}";
  ASSERT_TRUE(write_started(training_folder_of(root), context, record, "Plan\n"));
  EXPECT_THAT(root.text("INCOMPLETE"), HasSubstr("node1"));
  ASSERT_TRUE(write_finished(training_folder_of(root), context, record, "Plan\n", sample::outcome()));
  EXPECT_THAT(root.files(),
              ElementsAre("0_output.json", "0_per_epoch_stats.json", "1_output.json", "1_per_epoch_stats.json",
                          "datagen-manifest.json", "dlio.log", "dlio_config/config.yaml", "dlio_config/hydra.yaml",
                          "dlio_config/overrides.yaml", "mlpstorage_record.json", "provenance.json", "summary.json",
                          "training_20260704_050040_metadata.json", "training_cluster_info.json",
                          "training_run.stderr.log", "training_run.stdout.log"));
  const ordered_json metadata = root.json("training_20260704_050040_metadata.json");
  EXPECT_EQ(metadata["datagen_manifest_file"], "datagen-manifest.json");
  EXPECT_EQ(metadata["provenance_file"], "provenance.json");
  const ordered_json json = root.json("mlpstorage_record.json");
  EXPECT_EQ(json["schema"], "mlpstorage.training/1");
  EXPECT_EQ(json["verdict"], "passed");
  EXPECT_EQ(json["metrics"]["train_au_meet_expectation"], "success");
  EXPECT_THAT(sample::keys_of(json["reading"]),
              ElementsAre("bytes", "nominal_bytes", "bytes_verified", "extents", "files_opened", "reads", "retries",
                          "retried_bytes", "cpu_user_s", "cpu_system_s", "worker_time", "latency"));
  EXPECT_THAT(sample::keys_of(json["reading"]["worker_time"]),
              ElementsAre("submit_ns", "wait_ns", "verify_ns", "idle_ns", "other_ns"));
  EXPECT_EQ(json["epochs"][0]["blocks"].size(), 2U);
  EXPECT_EQ(json["epochs"][0]["checkpoints"][0]["bytes"], kGiB);
  EXPECT_EQ(json["store"]["location"], "s3://bucket/unet3d");
}

TEST(DatagenFiles, TheFilesOfADataSet) {
  const TemporaryFolder root;
  RunContext context = context_in(root);
  context.command = "datagen";
  training::GenerateRecord record;
  record.run_start = stamp_at(0);
  record.run_end = stamp_at(2000 * kMs);
  record.files = 10;
  record.files_written = 7;
  record.files_kept = 3;
  record.stats.bytes = 3 * kGiB;
  record.seconds = 2;
  record.verdict = run::Verdict::kPassed;
  ASSERT_TRUE(write_started(training_folder_of(root), context, record, "Plan\n"));
  ASSERT_TRUE(write_finished(training_folder_of(root), context, record, "Plan\n", sample::outcome()));
  EXPECT_THAT(root.files(),
              ElementsAre("dlio.log", "dlio_config/config.yaml", "dlio_config/hydra.yaml", "dlio_config/overrides.yaml",
                          "mlpstorage_record.json", "provenance.json", "training_20260704_050040_metadata.json",
                          "training_cluster_info.json", "training_datagen.stderr.log", "training_datagen.stdout.log"));
  EXPECT_THAT(root.text("training_datagen.stdout.log"), HasSubstr("1.500 GiB/s over 2.0 s"));
  EXPECT_THAT(root.text("dlio.log"), HasSubstr("Generation done: 7 files (3221225472 bytes) written, 3 found whole"));
  EXPECT_EQ(root.json("mlpstorage_record.json")["files_kept"], 3);
  // mlpstorage 3.0 collects no facts of hosts where it writes a data set, and judges nothing.
  const ordered_json metadata = root.json("training_20260704_050040_metadata.json");
  EXPECT_TRUE(metadata["system_info"].is_null());
  EXPECT_FALSE(metadata.contains("cluster_snapshots"));
  EXPECT_TRUE(metadata["verification"].is_null());
}

TEST(ManifestSnapshot, IsOfTheShapeThatMlpstorage3Reads) {
  training::Manifest manifest;
  manifest.model = "unet3d";
  manifest.num_files_train = 14000;
  manifest.num_samples_per_file = 1;
  manifest.record_length_bytes = 146600628;
  manifest.seed = 10;  // of this program alone
  const ordered_json json =
      ordered_json::parse(manifest_snapshot_text("s3://u:secret@h/x", {"MANIFEST-001"}, manifest, sample::kWallUs));
  EXPECT_THAT(sample::keys_of(json), ElementsAre("schema", "consumed_at", "location", "overridden", "manifest"));
  EXPECT_EQ(json["schema"], "mlps-datagen-manifest-snapshot/1");
  EXPECT_EQ(json["consumed_at"], "2026-07-04T05:00:40Z");
  EXPECT_EQ(json["overridden"], ordered_json::array({"MANIFEST-001"}));
  EXPECT_THAT(json["location"].get<std::string>(), Not(HasSubstr("secret")));
  // What isn't known is left out, never null.
  EXPECT_THAT(sample::keys_of(json["manifest"]),
              ElementsAre("schema_version", "model", "num_files_train", "num_samples_per_file", "record_length_bytes",
                          "num_subfolders_train"));
  EXPECT_TRUE(json["manifest"]["record_length_bytes"].is_number_integer());
}

// A checkpoint is saved between two blocks, and its line stands there.
TEST(DlioLog, LinesStandByTime) {
  const TemporaryFolder root;
  const std::string text = dlio_log_text(context_in(root), record_in(root));
  std::vector<std::string> stamps;
  std::istringstream lines(text.substr(0, text.find("[METRIC]")));
  for (std::string line; std::getline(lines, line);) stamps.push_back(line.substr(0, line.find(' ', 10)));
  EXPECT_TRUE(std::is_sorted(stamps.begin(), stamps.end())) << text;
  EXPECT_THAT(text, HasSubstr("Finished saving checkpoint 1 for epoch 1"));
}

TEST(WriteFilePiecewise, LeavesTheOldTextWhereTheBodyFails) {
  const TemporaryFolder root;
  const std::string path = root.path() + "/a";
  ASSERT_TRUE(write_file(path, "old"));
  const Status status = write_file_piecewise(path, [](const Sink& sink) -> Status {
    if (Status written = sink(std::string(1'000'000, 'x')); !written) return written;
    return fail(ErrorCode::kInternal, "no more");
  });
  EXPECT_FALSE(status);
  EXPECT_EQ(root.text("a"), "old");
  EXPECT_THAT(root.files(), ElementsAre("a"));
  ASSERT_TRUE(write_file_piecewise(path, [](const Sink& sink) -> Status {
    for (int i = 0; i < 300'000; ++i) {
      if (Status written = sink("ab"); !written) return written;
    }
    return {};
  }));
  EXPECT_EQ(root.text("a").size(), 600'000U);
}

}  // namespace
}  // namespace mlps::results
