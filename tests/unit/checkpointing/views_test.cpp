#include "benchmarks/checkpointing/results/views.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "../results/sample.hpp"
#include "../support/record_schema.hpp"
#include "base/units.hpp"
#include "workloads/checkpoint_workload.hpp"

namespace mlps::results {
namespace {

using checkpointing::CheckpointPlan;
using checkpointing::IoPlan;
using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

CheckpointPlan plan_of(const char* model, uint32_t processes) {
  const auto workload = workloads::load_checkpoint_workload(model, {});
  EXPECT_TRUE(workload);
  const auto plan = checkpointing::make_plan(*workload, {processes, 1.0});
  EXPECT_TRUE(plan) << plan.error().message;
  return *plan;
}

std::string table_of(const char* model, uint32_t processes, const std::optional<IoPlan>& io = {},
                     const PlanDetails& details = {}) {
  return plan_table(*workloads::load_checkpoint_workload(model, {}), plan_of(model, processes), io, details);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A line that starts so, with runs of blanks made one: what the reader sees, without its widths.
std::string line_with(const std::string& text, const std::string& start) {
  for (const std::string& line : lines_of(text)) {
    std::istringstream words(line);
    std::string packed;
    for (std::string word; words >> word;) packed += (packed.empty() ? "" : " ") + word;
    if (packed.starts_with(start)) return packed;
  }
  return "no line with " + start;
}

TEST(PlanTable, ExactBytesOfThe405bModel) {
  const std::string text = table_of("llama3-405b", 512);
  EXPECT_THAT(text, HasSubstr("5,682,508,791,808 bytes"));
  EXPECT_EQ(line_with(text, "checkpoint "), "checkpoint 1,544 objects, 5,682,508,791,808 bytes (5.168 TiB)");
  EXPECT_EQ(line_with(text, "grid "), "grid 512 processes, TP 8 x PP 32 x DP 2, ZeRO 1");
}

TEST(PlanTable, RanksOfEqualShapeAreOneLine) {
  const std::string text = table_of("llama3-405b", 512);
  EXPECT_EQ(line_with(text, "0-7 "), "0-7 8 5 layers 6 3,713,269,760 9,513,171,840 13,226,441,600 12.32 GiB");
  EXPECT_EQ(line_with(text, "8-239 "), "8-239 232 4 layers 5 3,187,933,184 9,513,171,840 12,701,105,024 11.83 GiB");
  EXPECT_EQ(line_with(text, "240-247 "), "240-247 8 3 layers 4 2,390,949,888 9,513,171,840 11,904,121,728 11.09 GiB");
  EXPECT_EQ(line_with(text, "256-511 "), "256-511 256 no layers 1 0 9,513,171,840 9,513,171,840 8.86 GiB");
  EXPECT_EQ(line_with(table_of("llama3-8b", 8), "0-7 "),
            "0-7 8 all layers 2 2,007,565,312 12,045,637,632 14,053,202,944 13.09 GiB");
}

TEST(PlanTable, FitsOneHundredColumns) {
  IoPlan io{256, 64, 64 * kMiB, 64 * kGiB};
  PlanDetails details;
  details.mode = "closed";
  details.location = "s3://a-bucket-with-a-long-name/and/a/prefix";
  details.payload = checkpointing::PayloadMode::kUnique;
  details.verify = true;
  details.store_settings = {{"endpoint",
                             "http://127.0.0.1:7480, http://127.0.0.2:7480, http://127.0.0.3:7480, "
                             "http://127.0.0.4:7480"},
                            {"payload signing", "unsigned"}};
  for (const std::string& model : workloads::checkpoint_models()) {
    const uint32_t closed = workloads::load_checkpoint_workload(model, {})->closed_processes;
    for (const uint32_t processes : {8U, closed}) {
      for (const std::string& line : lines_of(table_of(model.c_str(), processes, io, details))) {
        EXPECT_LE(line.size(), 100U) << line;
      }
    }
  }
}

TEST(PlanTable, MemorySubsetAndDetails) {
  PlanDetails details;
  details.location = "null://";
  details.payload = checkpointing::PayloadMode::kNone;
  details.verify = false;
  details.injected_fault = "short-read";
  const std::string text = table_of("llama3-70b", 8, IoPlan{4, 8, 16 * kMiB, kGiB}, details);
  EXPECT_EQ(line_with(text, "memory "),
            "memory 4 workers x depth 8 x part 16 MiB = 512 MiB of I/O buffers (limit 1 GiB)");
  EXPECT_THAT(line_with(text, "grid "), HasSubstr("subset: 8 ranks of 64"));
  EXPECT_EQ(line_with(text, "location "), "location null://");
  EXPECT_EQ(line_with(text, "payload "), "payload none, not verified on reading");
  EXPECT_EQ(line_with(text, "fault "), "fault short-read");
  EXPECT_THAT(table_of("llama3-70b", 8), Not(HasSubstr("location")));
}

TEST(PlanTable, WhatIsNotDoneIsSaid) {
  auto workload = *workloads::load_checkpoint_workload("llama3-8b", {});
  CheckpointPlan plan = sample::plan(2, 0, 3);
  const std::string text = plan_table(workload, plan, {}, {});
  EXPECT_EQ(line_with(text, "write "), "write nothing");
  EXPECT_EQ(line_with(text, "read "), "read 3 checkpoints, 19,327,352,832 bytes (18 GiB)");
  EXPECT_EQ(line_with(text, "capacity "), "capacity nothing is written");
}

TEST(PlanTable, ManyGroupsAreCutAndSaySo) {
  CheckpointPlan plan = sample::plan(100, 1, 1);
  for (auto& rank : plan.ranks) rank.model_bytes += rank.rank;
  EXPECT_THAT(plan_table(*workloads::load_checkpoint_workload("llama3-8b", {}), plan, {}, {}),
              HasSubstr("... and 84 more groups of ranks"));
}

TEST(PlanJson, EveryRankAndObject) {
  const auto workload = *workloads::load_checkpoint_workload("llama3-405b", {});
  const CheckpointPlan plan = plan_of("llama3-405b", 512);
  const ordered_json json = ordered_json::parse(plan_json(workload, plan, IoPlan{2, 4, kMiB, kGiB}, {}));
  EXPECT_EQ(json["schema"], "mlpstorage.plan/1");
  EXPECT_EQ(json["checkpoint_bytes"], 5'682'508'791'808U);
  EXPECT_EQ(json["parallelism"], ordered_json({{"tensor", 8}, {"pipeline", 32}, {"data", 2}, {"zero_stage", 1}}));
  EXPECT_EQ(json["io_plan"]["buffer_bytes"], 8 * kMiB);
  ASSERT_EQ(json["ranks"].size(), 512U);
  uint64_t bytes = 0, objects = 0;
  for (const auto& rank : json["ranks"]) {
    for (const auto& object : rank["objects"]) {
      bytes += object["size_bytes"].get<uint64_t>();
      EXPECT_TRUE(object["name"].get<std::string>().ends_with(".pt"));
      ++objects;
    }
  }
  EXPECT_EQ(bytes, 5'682'508'791'808U);
  EXPECT_EQ(objects, 1544U);
  EXPECT_TRUE(json["location"].is_null());
}

TEST(ResultTable, BothPhasesBesideEachOther) {
  const std::string text = result_table(sample::passed(2, 2, 2));
  EXPECT_EQ(line_with(text, "checkpoints done"), "checkpoints done 2 of 2 2 of 2");
  EXPECT_EQ(line_with(text, "throughput as"),
            "throughput as MLPerf defines it (rank 0's), mean (stdev) GiB/s 4.5 (1.5) 9 (3)");
  // 12 GiB in 2 s + 3 s, and in half of that.
  EXPECT_EQ(line_with(text, "throughput (all"), "throughput (all bytes / slowest rank) GiB/s 2.4 4.8");
  EXPECT_EQ(line_with(text, "client overhead"), "client overhead % 8.0 8.0");
  EXPECT_EQ(line_with(text, "bytes verified"), "bytes verified bytes 0 12,884,901,888");
  EXPECT_EQ(line_with(text, "CPU"), "CPU s/GiB 0.25 0.25");
  EXPECT_EQ(line_with(text, "cached before"), "cached before reading % - -");
  EXPECT_EQ(line_with(text, "peak memory"), "peak memory 200 MiB");
  EXPECT_EQ(line_with(text, "Verdict"), "Verdict: passed");
  for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), 100U) << line;
}

TEST(ResultTable, AMissingPhaseHasDashes) {
  const std::string text = result_table(sample::passed(2, 1, 0));
  EXPECT_EQ(line_with(text, "throughput (all"), "throughput (all bytes / slowest rank) GiB/s 3 -");
  EXPECT_EQ(line_with(text, "retries"), "retries 0 -");
}

TEST(ResultTable, AFailureSaysWhy) {
  const std::string text = result_table(sample::failed(2));
  EXPECT_THAT(text, HasSubstr("Verdict: failed\n  - 1 of 2 checkpoints written, 0 of 2 read\n[E403] write /mnt/x.pt"));
}

TEST(ResultTable, TheFirstErrorIsToldOnce) {
  checkpointing::RunRecord record = sample::failed(2);
  record.reasons = {"[E403] " + record.error->message, "bytes written: 2 planned, 1 done"};
  const std::string text = result_table(record);
  EXPECT_TRUE(text.starts_with("Result (failed)\n"));
  EXPECT_THAT(text, HasSubstr("Verdict: failed\n  - bytes written: 2 planned, 1 done\n[E403] write /mnt/x.pt"));
  EXPECT_EQ(text.find("/mnt/x.pt"), text.rfind("/mnt/x.pt"));
}

TEST(RecordJson, UnitsPercentilesAndConfiguration) {
  checkpointing::RunRecord record = sample::passed(2, 2, 2);
  record.events.back().cached_before = storage::Residency{10, 1000};
  const ordered_json json = test::parse_record(record_json(sample::context("/results/x"), record, sample::outcome()));
  EXPECT_EQ(json["verdict"], "passed");
  EXPECT_EQ(json["invocation"]["exit_status"], 0);
  EXPECT_EQ(json["time"]["run_start_utc"], "2026-07-04T05:00:40.123456+00:00");
  EXPECT_EQ(json["time"]["invocation_s"], 101.0);
  EXPECT_EQ(json["configuration"]["values"]["checkpoint.num_checkpoints_write"],
            ordered_json({{"value", "2"}, {"source", "tool"}}));
  EXPECT_EQ(json["store"]["settings"]["payload signing"], "unsigned");
  EXPECT_EQ(json["payload"]["seed"], 42);
  const ordered_json& write = json["write"];
  EXPECT_EQ(write["metrics"]["original"]["io_mean_gib_per_s"], 4.5);
  EXPECT_EQ(write["metrics"]["gib_per_s"], 2.4);
  EXPECT_EQ(write["worker_time"]["exposed_ns"], 8);
  EXPECT_EQ(write["latency"]["part"]["count"], 3);
  EXPECT_EQ(write["latency"]["part"]["max_ns"], 40'000'000);
  EXPECT_NEAR(write["latency"]["part"]["p50_ns"].get<double>(), 2e6, 2e6 * 0.016);
  EXPECT_EQ(json["read"]["metrics"]["cached_share"], 0.01);
  EXPECT_EQ(json["events"][3]["cached_before_bytes"], 10);
  EXPECT_TRUE(json["events"][0]["cached_before_bytes"].is_null());
  const ordered_json& interval = json["events"][1]["ranks"][1];
  EXPECT_EQ(interval["start_ns"], 2'000'000'000);
  EXPECT_EQ(interval["duration_ns"], 3'000'000'000);
  EXPECT_EQ(interval["bytes"], 3 * kGiB);
}

TEST(RecordJson, APhaseHasItsKeysInTheOrderPublished) {
  const ordered_json json =
      test::parse_record(record_json(sample::context("/results/x"), sample::passed(2, 2, 2), sample::outcome()));
  EXPECT_THAT(sample::keys_of(json["write"]),
              ElementsAre("checkpoints_planned", "checkpoints_done", "ended_by", "metrics", "bytes", "bytes_verified",
                          "parts", "objects", "retries", "retried_bytes", "wall_s", "cpu_user_s", "cpu_system_s",
                          "worker_time", "latency"));
  EXPECT_THAT(sample::keys_of(json["write"]["worker_time"]),
              ElementsAre("prepare_ns", "submit_ns", "wait_ns", "starved_ns", "other_ns", "exposed_ns", "prepare_share",
                          "submit_share", "wait_share", "starved_share"));
  EXPECT_THAT(sample::keys_of(json["write"]["latency"]), ElementsAre("begin", "part", "first_byte", "commit"));
}

TEST(RecordJson, IsTheTextOfTheFile) {
  const sample::TemporaryFolder root;
  const CheckpointContext context = sample::context(root.path());
  const checkpointing::RunRecord record = sample::passed(2, 1, 1);
  ASSERT_TRUE(write_finished({root.path(), "20260704_050040"}, context, record, sample::outcome()));
  EXPECT_EQ(root.text("mlpstorage_record.json"), record_json(context, record, sample::outcome()));
}

TEST(RecordJson, RatesAndTimesOfNothingAreNumbersOrNull) {
  checkpointing::RunRecord record = sample::passed(1, 1, 1);
  for (auto& event : record.events) {
    event.slowest_ns = 0;
    for (auto& interval : event.ranks) interval.duration_ns = 0;
  }
  record.write.times = {};
  const std::string text = record_json(sample::context("/x"), record, sample::outcome());
  EXPECT_EQ(ordered_json::parse(text)["write"]["metrics"]["gib_per_s"], 0.0);
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace mlps::results
