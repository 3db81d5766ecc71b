#include <gmock/gmock.h>

#include <algorithm>
#include <tuple>

#include "benchmarks/training/results/dlio_files.hpp"
#include "worked_record.hpp"

namespace mlps::results {
namespace {

using namespace worked;
using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

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
  EXPECT_THAT(result_table(record), HasSubstr("fail: AU 85 % < 85.01 %: NOT ENOUGH"));
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
                          "dlio_config/overrides.yaml", "mlpstorage_files.json", "mlpstorage_record.json",
                          "provenance.json", "summary.json", "training_20260704_050040_metadata.json",
                          "training_cluster_info.json", "training_run.stderr.log", "training_run.stdout.log"));
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
                          "mlpstorage_files.json", "mlpstorage_record.json", "provenance.json",
                          "training_20260704_050040_metadata.json", "training_cluster_info.json",
                          "training_datagen.stderr.log", "training_datagen.stdout.log"));
  EXPECT_THAT(root.text("training_datagen.stdout.log"), HasSubstr("1.5 GiB/s over 2 s"));
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
