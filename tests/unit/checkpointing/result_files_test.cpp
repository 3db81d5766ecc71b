#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "../results/sample.hpp"
#include "base/units.hpp"
#include "benchmarks/checkpointing/results/files.hpp"
#include "benchmarks/checkpointing/results/views.hpp"

namespace mlps::results {
namespace {

using nlohmann::ordered_json;
using sample::TemporaryFolder;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kMetadata = "checkpointing_20260704_050040_metadata.json";

RunFolder folder_of(const TemporaryFolder& root) {
  return {root.path(), "20260704_050040"};
}

void write_run(const TemporaryFolder& root, const checkpointing::RunRecord& record, const CheckpointContext& context,
               const RunOutcome& outcome = sample::outcome()) {
  const Status started = write_started(folder_of(root), context, record);
  ASSERT_TRUE(started) << started.error().message;
  const Status finished = write_finished(folder_of(root), context, record, outcome);
  ASSERT_TRUE(finished) << finished.error().message;
}

TEST(WriteStarted, LeavesARecordThatSaysIncomplete) {
  const TemporaryFolder root;
  // Even a record that claims to have passed is incomplete until the run has ended.
  ASSERT_TRUE(write_started(folder_of(root), sample::context(root.path()), sample::passed(2, 1, 1)));
  EXPECT_THAT(root.files(), ElementsAre("INCOMPLETE", "checkpointing_run.stderr.log", "checkpointing_run.stdout.log",
                                        "dlio_config/config.yaml", "dlio_config/hydra.yaml",
                                        "dlio_config/overrides.yaml", "mlpstorage_record.json", "provenance.json"));
  const ordered_json record = root.json("mlpstorage_record.json");
  EXPECT_EQ(record["schema"], "mlpstorage.record/1");
  EXPECT_EQ(record["verdict"], "incomplete");
  EXPECT_TRUE(record["invocation"]["exit_status"].is_null());
  EXPECT_TRUE(record["time"]["invocation_end_utc"].is_null());
  EXPECT_EQ(record["plan"]["ranks"].size(), 2U);
  EXPECT_THAT(root.text("checkpointing_run.stdout.log"), HasSubstr("llama3-8b"));
}

TEST(WriteFinished, FilesOfAPassedRun) {
  const TemporaryFolder root;
  CheckpointContext context = sample::context(root.path());
  context.separation =
      gates::SeparationFinding{"/mnt/c", "/r", "/mnt/real", "/real", false, "2026-07-04T05:00:39Z", "n"};
  write_run(root, sample::passed(2, 2, 2), context);
  EXPECT_THAT(root.files(),
              ElementsAre("0_output.json", "0_per_epoch_stats.json", "1_output.json", "1_per_epoch_stats.json",
                          kMetadata, "checkpointing_cluster_info.json", "checkpointing_run.stderr.log",
                          "checkpointing_run.stdout.log", "dlio.log", "dlio_config/config.yaml",
                          "dlio_config/hydra.yaml", "dlio_config/overrides.yaml", "fs_separation.json",
                          "mlpstorage_files.json", "mlpstorage_record.json", "provenance.json", "summary.json"));
  const ordered_json separation = root.json("fs_separation.json");
  EXPECT_THAT(sample::keys_of(separation),
              ElementsAre("version", "method", "data_or_chkpt_path", "results_path", "data_or_chkpt_realpath",
                          "results_realpath", "same_filesystem", "probed_at", "probed_by_rank", "probed_by_host"));
  EXPECT_EQ(separation["method"], "link_exdev");
  EXPECT_EQ(separation["same_filesystem"], false);
  EXPECT_EQ(separation["data_or_chkpt_realpath"], "/mnt/real");
}

// Two saves of rank 0 took 1 s and 2 s, two loads half of that; a checkpoint is 6 GiB.
TEST(WriteFinished, SummaryHasTheOriginalsShapeAndNumbers) {
  const TemporaryFolder root;
  write_run(root, sample::passed(2, 2, 2), sample::context(root.path()));
  const ordered_json summary = root.json("summary.json");
  EXPECT_THAT(sample::keys_of(summary),
              ElementsAre("start", "end", "num_accelerators", "num_hosts", "hostname", "metric", "num_files_train",
                          "num_files_eval", "num_samples_per_file", "host_cpu_count", "host_processor_name",
                          "potential_caching", "host_cpuinfo", "host_meminfo", "host_memory_GB",
                          "data_size_per_host_GB", "epochs"));
  EXPECT_EQ(summary["num_accelerators"], 2);
  EXPECT_EQ(summary["host_memory_GB"], ordered_json::array({64.0}));
  EXPECT_EQ(summary["host_cpu_count"], ordered_json::array({8}));
  EXPECT_EQ(summary["potential_caching"], ordered_json::array({1}));
  EXPECT_EQ(summary["num_files_train"], 8);  // DLIO's defaults: there is no data set
  EXPECT_EQ(summary["data_size_per_host_GB"], 8 * 65536.0 / (1 << 30));
  EXPECT_EQ(summary["host_meminfo"]["MemTotal"], "67108864 kB");
  EXPECT_THAT(sample::keys_of(summary["host_cpuinfo"]), ElementsAre("cpu MHz"));
  EXPECT_EQ(summary["host_cpuinfo"]["cpu MHz"], "2001.5");
  EXPECT_EQ(summary["start"], iso_local(sample::kWallUs));
  const ordered_json& metric = summary["metric"];
  EXPECT_DOUBLE_EQ(metric["save_checkpoint_io_mean_GB_per_second"], 4.5);  // 6/1 and 6/2
  EXPECT_DOUBLE_EQ(metric["save_checkpoint_io_stdev_GB_per_second"], 1.5);
  EXPECT_DOUBLE_EQ(metric["save_checkpoint_duration_mean_seconds"], 1.5);
  EXPECT_DOUBLE_EQ(metric["save_checkpoint_duration_stdev_seconds"], 0.5);
  EXPECT_DOUBLE_EQ(metric["load_checkpoint_io_mean_GB_per_second"], 9.0);
  EXPECT_DOUBLE_EQ(metric["load_checkpoint_duration_mean_seconds"], 0.75);
  EXPECT_DOUBLE_EQ(metric["checkpoint_size_GB"], 6.0);
}

TEST(WriteFinished, AWriteOnlyAndAReadOnlyRunHaveTheirOwnMetricsOnly) {
  const TemporaryFolder root;
  write_run(root, sample::passed(1, 1, 0), sample::context(root.path()));
  EXPECT_EQ(root.json("summary.json")["metric"].size(), 5U);
  EXPECT_TRUE(root.json("summary.json")["metric"].contains("save_checkpoint_io_mean_GB_per_second"));
  EXPECT_TRUE(root.json("mlpstorage_record.json")["read"].is_null());
  write_run(root, sample::passed(1, 0, 1), sample::context(root.path()));
  EXPECT_EQ(root.json("summary.json")["metric"].size(), 5U);
  EXPECT_TRUE(root.json("summary.json")["metric"].contains("load_checkpoint_io_mean_GB_per_second"));
}

// Numbers, not strings; a rank's own duration; the size of all ranks over it.
TEST(WriteFinished, RankStats) {
  const TemporaryFolder root;
  write_run(root, sample::passed(2, 2, 1), sample::context(root.path()));
  const std::string text = root.text("1_per_epoch_stats.json");
  EXPECT_THAT(text, HasSubstr("\n    \"1\": {\n        \"start\""));
  const ordered_json epoch = root.json("1_per_epoch_stats.json")["1"];
  EXPECT_THAT(sample::keys_of(epoch), ElementsAre("start", "save_ckpt1", "save_ckpt2", "load_ckpt1", "end"));
  const ordered_json& save = epoch["save_ckpt1"];
  EXPECT_THAT(sample::keys_of(save), ElementsAre("start", "end", "duration", "throughput"));
  EXPECT_TRUE(save["duration"].is_number_float());
  EXPECT_DOUBLE_EQ(save["duration"], 2.0);  // rank 1 in checkpoint 1
  EXPECT_DOUBLE_EQ(save["throughput"], 3.0);
  EXPECT_EQ(save["start"], iso_local(sample::kWallUs));
  EXPECT_EQ(save["end"], iso_local(sample::kWallUs + 2'000'000));
  EXPECT_DOUBLE_EQ(epoch["load_ckpt1"]["duration"], 1.0);
  EXPECT_DOUBLE_EQ(root.json("0_per_epoch_stats.json")["1"]["save_ckpt2"]["throughput"], 3.0);
}

TEST(WriteFinished, RankOutput) {
  const TemporaryFolder root;
  write_run(root, sample::passed(2, 1, 1), sample::context(root.path()));
  const ordered_json output = root.json("1_output.json");
  EXPECT_THAT(sample::keys_of(output),
              ElementsAre("host_memory_GB", "host_cpu_count", "host_processor_name", "potential_caching",
                          "host_cpuinfo", "host_meminfo", "1", "hostname"));
  EXPECT_EQ(output["host_memory_GB"], 64.0);
  EXPECT_EQ(output["1"]["load"], ordered_json::object());
  EXPECT_EQ(output["hostname"], "node1");
}

TEST(WriteFinished, MetadataKeepsTheOriginalsKeysInOrder) {
  const TemporaryFolder root;
  write_run(root, sample::passed(2, 2, 2), sample::context(root.path()));
  const ordered_json metadata = root.json(kMetadata);
  EXPECT_THAT(sample::keys_of(metadata),
              ElementsAre("benchmark_type", "model", "command", "run_datetime", "num_processes", "accelerator",
                          "result_dir", "parameters", "override_parameters", "system_info", "cluster_snapshots",
                          "runtime", "verification", "executed_command", "command_output_files", "args",
                          "invocation_start_time", "invocation_end_time", "exit_status", "provenance_file", "verdict",
                          "reasons", "caveats", "error", "no_result_because", "tool"));
  EXPECT_EQ(metadata["verification"], "CLOSED");
  EXPECT_TRUE(metadata["accelerator"].is_null());
  EXPECT_EQ(metadata["num_processes"], 2);
  EXPECT_THAT(sample::keys_of(metadata["parameters"]), ElementsAre("model", "framework", "checkpoint"));
  EXPECT_EQ(metadata["parameters"]["checkpoint"]["fsync"], true);
  EXPECT_EQ(metadata["parameters"]["checkpoint"]["time_between_checkpoints"], 5);
  EXPECT_EQ(metadata["parameters"]["checkpoint"]["num_checkpoints_write"], 2);  // of the tool: a number
  EXPECT_EQ(metadata["parameters"]["model"]["parallelism"]["zero_stage"], 3);
  EXPECT_EQ(metadata["override_parameters"], ordered_json({{"checkpoint.num_checkpoints_write", 2}}));
  EXPECT_THAT(sample::keys_of(metadata["args"]), ElementsAre("mode", "num_processes", "hosts", "zeta", "alpha"));
  EXPECT_DOUBLE_EQ(metadata["runtime"], 7.5);  // 2 s + 3 s of writing and 1 s + 1.5 s of reading, by the slower rank
  EXPECT_THAT(metadata["executed_command"].get<std::string>(), EndsWith("--checkpoint-folder 's3://bucket/a b'"));
  EXPECT_EQ(metadata["command_output_files"][0]["stdout"], root.path() + "/checkpointing_run.stdout.log");
  // In the style of summary.json: a reader takes the difference of stamps of both.
  EXPECT_EQ(metadata["invocation_start_time"], iso_local(sample::kWallUs - 1'000'000));
  EXPECT_EQ(metadata["invocation_end_time"], iso_local(sample::kWallUs + 100'000'000));
  EXPECT_EQ(metadata["exit_status"], 0);
}

TEST(WriteFinished, WhatifIsNotJudged) {
  const TemporaryFolder root;
  CheckpointContext context = sample::context(root.path());
  context.verification.clear();
  write_run(root, sample::passed(1, 1, 1), context);
  EXPECT_TRUE(root.json(kMetadata)["verification"].is_null());
}

TEST(WriteFinished, SystemInfoHasTheFieldsReadersKnow) {
  const TemporaryFolder root;
  write_run(root, sample::passed(1, 1, 1), sample::context(root.path()));
  const ordered_json info = root.json(kMetadata)["system_info"];
  EXPECT_THAT(sample::keys_of(info),
              ElementsAre("total_memory_bytes", "total_cores", "num_hosts", "min_memory_bytes", "max_memory_bytes",
                          "collection_method", "collection_timestamp", "hosts"));
  EXPECT_EQ(info["total_memory_bytes"], 64 * kGiB);
  EXPECT_EQ(info["total_cores"], 4);
  EXPECT_EQ(info["collection_timestamp"], "2026-07-04T05:00:40Z");
  const ordered_json& host = info["hosts"][0];
  EXPECT_EQ(host["disks"][0]["device_name"], "sda");
  EXPECT_EQ(host["disks"][0]["sectors_read"], 3);
  EXPECT_EQ(host["disks"][0].size(), 18U);
  EXPECT_EQ(host["network"][0]["rx_bytes"], 7);
  EXPECT_EQ(host["cpu"]["num_logical_cores"], 8);
  const ordered_json cluster = root.json("checkpointing_cluster_info.json");
  EXPECT_THAT(sample::keys_of(cluster), ElementsAre("node1", "_metadata"));
  EXPECT_EQ(cluster["node1"]["meminfo"]["MemTotal"], 67108864);
  EXPECT_EQ(cluster["node1"]["cpuinfo"].size(), 2U);
  EXPECT_EQ(cluster["node1"]["cpuinfo"][0]["cpu MHz"], 2000.5);
}

TEST(WriteFinished, DlioLogHasTheMetricBlock) {
  const TemporaryFolder root;
  write_run(root, sample::passed(2, 2, 2), sample::context(root.path()));
  const std::string log = root.text("dlio.log");
  EXPECT_THAT(log, HasSubstr("Finished saving checkpoint 2 for epoch 1 in 2.0000 s; Throughput: 3.0000 GiB/s\n"));
  EXPECT_THAT(log, HasSubstr("Finished loading checkpoint 1 for epoch 1 in 0.5000 s; Throughput: 12.0000 GiB/s\n"));
  EXPECT_THAT(log, HasSubstr("[METRIC] Checkpoint save duration (seconds): 1.5000 (0.5000)\n"));
  EXPECT_THAT(log, HasSubstr("[METRIC] Checkpoint save I/O Throughput (GiB/second): 4.5000 (1.5000)\n"));
  EXPECT_THAT(log, HasSubstr("[METRIC] Checkpoint load duration (seconds): 0.7500 (0.2500)\n"));
}

TEST(WriteFinished, DlioConfigIsYamlWithTheEffectiveValues) {
  const TemporaryFolder root;
  write_run(root, sample::passed(1, 1, 1), sample::context(root.path()));
  const YAML::Node config = YAML::Load(root.text("dlio_config/config.yaml"));
  ASSERT_EQ(config.size(), 1U);
  EXPECT_EQ(config["workload"]["checkpoint"]["num_checkpoints_write"].as<int>(), 2);
  EXPECT_TRUE(config["workload"]["checkpoint"]["fsync"].as<bool>());
  EXPECT_EQ(config["workload"]["model"]["name"].as<std::string>(), "llama_8b");
  const YAML::Node overrides = YAML::Load(root.text("dlio_config/overrides.yaml"));
  EXPECT_THAT(overrides.as<std::vector<std::string>>(),
              ElementsAre("workload=llama3_8b", "++workload.checkpoint.num_checkpoints_write=2"));
  const YAML::Node hydra = YAML::Load(root.text("dlio_config/hydra.yaml"));
  ASSERT_EQ(hydra.size(), 1U);
  EXPECT_EQ(hydra["hydra"]["run"]["dir"].as<std::string>(), root.path());
  EXPECT_EQ(hydra["hydra"]["runtime"]["choices"]["workload"].as<std::string>(), "llama3_8b");
  EXPECT_EQ(hydra["hydra"]["overrides"]["task"].size(), 2U);
}

TEST(WriteFinished, AFailedRunCannotLookRight) {
  const TemporaryFolder root;
  RunOutcome outcome = sample::outcome();
  outcome.exit_status = 3;
  outcome.warnings = {"disk nearly full"};
  write_run(root, sample::failed(2), sample::context(root.path()), outcome);
  EXPECT_THAT(root.files(), Not(Contains("summary.json")));
  EXPECT_THAT(root.files(), IsSupersetOf({"0_output.json", "dlio.log", "mlpstorage_record.json"}));
  EXPECT_THAT(root.text("dlio.log"), Not(HasSubstr("[METRIC]")));
  EXPECT_THAT(root.text("dlio.log"), HasSubstr("verdict is 'failed'"));
  EXPECT_FALSE(root.json("0_per_epoch_stats.json")["1"].contains("end"));
  const ordered_json metadata = root.json(kMetadata);
  EXPECT_EQ(metadata["verification"], "INVALID");
  EXPECT_EQ(metadata["exit_status"], 3);
  EXPECT_EQ(metadata["verdict"], "failed");
  EXPECT_EQ(metadata["error"]["code"], "E403");
  const ordered_json record = root.json("mlpstorage_record.json");
  EXPECT_EQ(record["verdict"], "failed");
  EXPECT_EQ(record["reasons"][0], "1 of 2 checkpoints written, 0 of 2 read");
  EXPECT_EQ(record["error"]["suggestion"], "free space");
  EXPECT_EQ(record["warnings"][0], "disk nearly full");
  EXPECT_THAT(root.text("checkpointing_run.stderr.log"), HasSubstr("No space left on device"));
}

TEST(WriteFinished, ARunThatNeverBeganIsWrittenToo) {
  const TemporaryFolder root;
  checkpointing::RunRecord record;
  record.plan = sample::plan(2, 2, 2);
  record.verdict = run::Verdict::kInterrupted;
  write_run(root, record, sample::context(root.path()));
  EXPECT_EQ(root.json("mlpstorage_record.json")["verdict"], "interrupted");
  EXPECT_EQ(root.json("mlpstorage_record.json")["write"]["metrics"], nullptr);
  EXPECT_EQ(root.json(kMetadata)["runtime"], 0.0);
  EXPECT_THAT(root.files(), Not(Contains("summary.json")));
}

TEST(WriteFinished, NoFileHoldsASecret) {
  const TemporaryFolder root;
  CheckpointContext context = sample::context(root.path());
  context.argv.insert(context.argv.end(), {"--params", "storage.secret_access_key=hunter2", "--password", "hunter2"});
  context.args_json = R"({"params":["storage.secret_access_key=hunter2"],"token":"hunter2"})";
  context.overrides.push_back({"storage.session_token", "hunter2"});
  context.values["storage.session_token"] = {"hunter2", workloads::ValueSource::kUserParams};
  checkpointing::RunRecord record = sample::failed(2);
  record.store_settings.push_back({"secret key", "hunter2"});
  record.location = "http://user:hunter2@host/bucket";
  record.reasons.push_back("PUT http://h/o?X-Amz-Signature=hunter2");
  record.error->details = "Authorization=hunter2";
  RunOutcome outcome = sample::outcome();
  outcome.warnings = {"retry http://user:hunter2@host/bucket"};
  write_run(root, record, context, outcome);
  for (const std::string& name : root.files()) EXPECT_THAT(root.text(name), Not(HasSubstr("hunter2"))) << name;
}

TEST(WriteFinished, NoTemporaryFilesStayBehind) {
  const TemporaryFolder root;
  write_run(root, sample::passed(3, 1, 1), sample::context(root.path()));
  EXPECT_THAT(root.files(), Each(Not(HasSubstr("tmp"))));
}

TEST(WriteFinished, WhatCannotBeWrittenIsAnErrorAndTheFolderStaysIncomplete) {
  const TemporaryFolder root;
  const CheckpointContext context = sample::context(root.path());
  ASSERT_TRUE(write_started(folder_of(root), context, sample::passed(1, 1, 1)));
  std::filesystem::create_directories(root.path() + "/dlio.log/in the way");
  const Status finished = write_finished(folder_of(root), context, sample::passed(1, 1, 1), sample::outcome());
  ASSERT_FALSE(finished);
  EXPECT_THAT(finished.error().message, HasSubstr("dlio.log"));
  EXPECT_THAT(root.files(), Contains("INCOMPLETE"));
  EXPECT_THAT(root.files(), Not(Contains("summary.json")));
}

TEST(WriteFinished, AnOptionSnapshotThatIsNoObjectIsRefused) {
  const TemporaryFolder root;
  for (const char* bad : {"", "[1]", "{\"a\":", "nonsense"}) {
    CheckpointContext context = sample::context(root.path());
    context.args_json = bad;
    EXPECT_FALSE(write_started(folder_of(root), context, sample::passed(1, 1, 1))) << bad;
  }
}

// The size of a whole 1T run: 1,024 ranks, ten writes and ten reads. Its time shows in the test report.
TEST(WriteFinished, FilesOf1024Ranks) {
  const TemporaryFolder root;
  write_run(root, sample::passed(1024, 10, 10), sample::context(root.path()));
  EXPECT_EQ(root.files().size(), 2U * 1024 + 12);
  const ordered_json last = root.json("1023_per_epoch_stats.json")["1"];
  EXPECT_EQ(last.size(), 22U);
  EXPECT_DOUBLE_EQ(last["save_ckpt10"]["duration"], 1033.0);
  const ordered_json record = root.json("mlpstorage_record.json");
  EXPECT_EQ(record["events"].size(), 20U);
  EXPECT_EQ(record["events"][19]["ranks"].size(), 1024U);
  EXPECT_EQ(record["events"][19]["ranks"][1023]["rank"], 1023);
}

// What is no storage is no result, however well it went; whatif is never judged.
TEST(WriteFinished, ARunWithoutStorageIsInvalidAndSaysWhy) {
  const TemporaryFolder root;
  checkpointing::RunRecord record = sample::passed(2, 2, 2);
  record.traits.holds_objects = false;
  CheckpointContext context = sample::context(root.path());
  context.no_result_because = {"--payload none: the objects have no content"};
  write_run(root, record, context);
  EXPECT_EQ(root.json(kMetadata)["verification"], "INVALID");
  EXPECT_EQ(root.json(kMetadata)["no_result_because"],
            ordered_json::array(
                {"--payload none: the objects have no content", "null:// keeps nothing: no storage was measured"}));
  EXPECT_THAT(root.json("summary.json")["no_result_because"], SizeIs(2));
  EXPECT_THAT(root.json("mlpstorage_record.json")["no_result_because"], SizeIs(2));
  EXPECT_THAT(root.text("checkpointing_run.stdout.log"), HasSubstr("no result of a storage system: null://"));
  context.mode = "whatif";
  write_run(root, record, context);
  EXPECT_TRUE(root.json(kMetadata)["verification"].is_null());
}

TEST(WriteFinished, InjectedFaultsMakeARunInvalid) {
  const TemporaryFolder root;
  checkpointing::RunRecord record = sample::passed(2, 2, 2);
  record.injected_fault = "slow=5:read_part@1";
  write_run(root, record, sample::context(root.path()));
  EXPECT_EQ(root.json(kMetadata)["verification"], "INVALID");
}

// The user's spelling of a value is text, the same in both places.
TEST(WriteFinished, WhatTheUserTypedIsText) {
  const TemporaryFolder root;
  CheckpointContext context = sample::context(root.path());
  context.values["checkpoint.rank_sync"] = {"True", workloads::ValueSource::kUserParams};
  context.overrides.push_back({"checkpoint.rank_sync", "true", workloads::ValueSource::kUserParams});
  context.values["storage.s3_force_path_style"] = {"true", workloads::ValueSource::kTool};
  write_run(root, sample::passed(2, 2, 2), context);
  const ordered_json metadata = root.json(kMetadata);
  EXPECT_EQ(metadata["parameters"]["checkpoint"]["rank_sync"], "true");
  EXPECT_EQ(metadata["override_parameters"]["checkpoint.rank_sync"], "true");
  EXPECT_EQ(metadata["parameters"]["storage"]["s3_force_path_style"], "true");
}

TEST(WriteFinished, RanksSayWhenTheRunBeganAndEnded) {
  const TemporaryFolder root;
  write_run(root, sample::passed(2, 2, 2), sample::context(root.path()));
  const ordered_json epoch = root.json("1_output.json")["1"];
  EXPECT_THAT(sample::keys_of(epoch), ElementsAre("start", "load", "proc", "throughput", "au", "compute", "end"));
  EXPECT_EQ(epoch["start"], root.json("summary.json")["start"]);
  EXPECT_EQ(epoch["end"], root.json("summary.json")["end"]);
}

}  // namespace
}  // namespace mlps::results
