#include "results/time_series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "results/checkpoint_files.hpp"
#include "results/checkpoint_views.hpp"
#include "results/folder_writer.hpp"
#include "results/metadata.hpp"
#include "sample.hpp"

namespace mlps::results {
namespace {

using nlohmann::ordered_json;
using sample::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kFile = "checkpointing_20260704_050040_timeseries.json";

std::vector<std::string> keys_of(const ordered_json& json) {
  std::vector<std::string> keys;
  for (const auto& item : json.items()) keys.push_back(item.key());
  return keys;
}

world::HostSample sample_at(int64_t seconds) {
  world::HostSample sample;
  sample.at = {0, sample::kWallUs + seconds * 1'000'000};
  sample.disks = {{"nvme0n1", {1, 2, 3}}};
  sample.network = {{"eth0", {100, 7}}};
  sample.vmstat = world::parse_counters("pgpgin 10\npgpgout 20\n");
  sample.meminfo = world::parse_counters("MemTotal: 1000 kB\n");
  sample.load = world::LoadFacts{0.25, 0.5, 0.75, 3, 456};
  sample.cpu = world::CpuCounters{{world::ticks_per_second() * 2, world::ticks_per_second()}};
  sample.process = {1.5, 0.5, 4096};
  return sample;
}

world::TimeSeries series_of(size_t samples) {
  world::TimeSeries series;
  series.hostname = "node\"1";
  series.requested_interval_s = 10;
  series.interval_s = 40;
  series.samples_taken = 12;
  series.cost_ns = 12 * 150'000;
  for (size_t i = 0; i < samples; ++i) series.samples.push_back(sample_at(static_cast<int64_t>(i) * 40));
  return series;
}

CheckpointContext context_of(const TemporaryFolder& root) {
  CheckpointContext context = sample::context(root.path());
  context.hosts = {"127.0.0.1"};
  return context;
}

TEST(WriteTimeSeries, HasTheOriginalsShape) {
  const TemporaryFolder root;
  const auto file = write_time_series({root.path(), "20260704_050040"}, context_of(root), series_of(3));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->name, kFile);
  EXPECT_EQ(file->samples, 3U);
  const ordered_json json = root.json(kFile);
  EXPECT_THAT(keys_of(json), ElementsAre("collection_interval_seconds", "start_time", "end_time", "num_samples",
                                         "samples_by_host", "collection_method", "hosts_requested", "hosts_collected",
                                         "requested_interval_seconds", "samples_taken", "mean_sample_cpu_us", "note"));
  EXPECT_EQ(json["collection_interval_seconds"], 40.0);
  EXPECT_EQ(json["start_time"], "2026-07-04T05:00:40.123456+00:00");
  EXPECT_EQ(json["end_time"], "2026-07-04T05:02:00.123456+00:00");
  EXPECT_EQ(json["num_samples"], 3);
  EXPECT_EQ(json["hosts_requested"], ordered_json({"127.0.0.1"}));
  EXPECT_EQ(json["hosts_collected"], ordered_json({"node\"1"}));
  EXPECT_EQ(json["mean_sample_cpu_us"], 150.0);
  EXPECT_THAT(json["note"], HasSubstr("every second one was dropped"));
  ASSERT_EQ(json["samples_by_host"]["node\"1"].size(), 3U);
  EXPECT_EQ(json["samples_by_host"]["node\"1"][1]["timestamp"], "2026-07-04T05:01:20.123456+00:00");
}

TEST(WriteTimeSeries, OneThatWasNotThinnedHasNoNote) {
  const TemporaryFolder root;
  world::TimeSeries series = series_of(2);
  series.interval_s = series.requested_interval_s;
  ASSERT_TRUE(write_time_series({root.path(), "20260704_050040"}, context_of(root), series));
  EXPECT_FALSE(root.json(kFile).contains("note"));
}

TEST(WriteTimeSeries, SaysWhatWentWrong) {
  const TemporaryFolder root;
  const auto file = write_time_series({root.path() + "/gone", "x"}, context_of(root), series_of(2));
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr(root.path() + "/gone"));
}

TEST(SampleJson, HasEveryCounterByItsName) {
  const ordered_json json = sample_json("node", sample_at(0));
  EXPECT_THAT(keys_of(json), ElementsAre("timestamp", "hostname", "diskstats", "vmstat", "meminfo", "loadavg", "netdev",
                                         "cpu", "process"));
  EXPECT_EQ(json["diskstats"][0]["device_name"], "nvme0n1");
  EXPECT_EQ(json["diskstats"][0]["sectors_read"], 3);
  EXPECT_EQ(json["diskstats"][0].size(), 18U);
  EXPECT_EQ(json["netdev"][0]["rx_packets"], 7);
  EXPECT_EQ(json["vmstat"], ordered_json({{"pgpgin", 10}, {"pgpgout", 20}}));
  EXPECT_EQ(json["meminfo"]["MemTotal"], 1000);
  EXPECT_EQ(json["loadavg"]["total_processes"], 456);
  EXPECT_EQ(json["cpu"]["user_s"], 2.0);
  EXPECT_EQ(json["process"]["rss_bytes"], 4096);
}

TEST(SampleJson, WhatCouldNotBeReadIsLeftOutAndStandsInErrors) {
  world::HostSample sample = sample_at(0);
  sample.disks.clear();
  sample.network.clear();  // read, and there is no interface
  sample.vmstat = {};
  sample.load.reset();
  sample.errors = {{"diskstats", "open: denied"}, {"vmstat", "open: gone"}, {"loadavg", "not understood"}};
  const ordered_json json = sample_json("node", sample);
  EXPECT_THAT(keys_of(json), ElementsAre("timestamp", "hostname", "meminfo", "netdev", "cpu", "process", "errors"));
  EXPECT_EQ(json["netdev"], ordered_json::array());
  EXPECT_EQ(json["errors"]["diskstats"], "open: denied");
  EXPECT_EQ(json["errors"].size(), 3U);
}

RunOutcome with_findings() {
  RunOutcome outcome = sample::outcome();
  outcome.findings.series = TimeSeriesFile{kFile, 7, 10.0, {"node"}};
  outcome.findings.check = world::CrossCheck{
      world::CheckResult::kLess, {1000, 500}, world::MovedBytes{10, 500}, "vda", "vda read 10 B of the 1000 B claimed"};
  return outcome;
}

TEST(Findings, StandInRecordMetadataAndLog) {
  const TemporaryFolder root;
  const RunFolder folder{root.path(), "20260704_050040"};
  ASSERT_TRUE(write_finished(folder, context_of(root), sample::passed(1, 1, 1), with_findings()));
  const ordered_json data = {
      {"file", kFile}, {"num_samples", 7}, {"interval_seconds", 10.0}, {"hosts_collected", {"node"}}};
  EXPECT_EQ(root.json("checkpointing_20260704_050040_metadata.json")["timeseries_data"], data);
  const ordered_json record = root.json(kRecordFile);
  EXPECT_EQ(record["time_series"], data);
  const ordered_json& check = record["cross_check"];
  EXPECT_EQ(check["result"], "less");
  EXPECT_EQ(check["warning"], true);
  EXPECT_EQ(check["claimed"], ordered_json({{"read_bytes", 1000}, {"written_bytes", 500}}));
  EXPECT_EQ(check["counted"]["read_bytes"], 10);
  EXPECT_THAT(root.text("checkpointing_run.stdout.log"),
              HasSubstr("Cross-check: vda read 10 B of the 1000 B claimed\n"));
}

TEST(Findings, WithoutSamplesSayWhy) {
  const TemporaryFolder root;
  const RunFolder folder{root.path(), "20260704_050040"};
  RunOutcome outcome = sample::outcome();
  outcome.findings.no_series_because = outcome.findings.no_check_because = "--skip-timeseries";
  ASSERT_TRUE(write_finished(folder, context_of(root), sample::passed(1, 1, 1), outcome));
  EXPECT_FALSE(root.json("checkpointing_20260704_050040_metadata.json").contains("timeseries_data"));
  const ordered_json record = root.json(kRecordFile);
  EXPECT_EQ(record["time_series"], ordered_json({{"file", nullptr}, {"reason", "--skip-timeseries"}}));
  EXPECT_EQ(record["cross_check"], ordered_json({{"result", "not_made"}, {"text", "--skip-timeseries"}}));
}

TEST(Findings, OfARunUnderWayAreNull) {
  const ordered_json record =
      ordered_json::parse(record_json(sample::context("/x"), sample::passed(1, 1, 1), std::nullopt));
  EXPECT_TRUE(record.at("time_series").is_null());
  EXPECT_TRUE(record.at("cross_check").is_null());
}

TEST(FindingsText, IsOneLineAndOnlyAWarning) {
  RunOutcome outcome = with_findings();
  EXPECT_EQ(findings_text(outcome.findings), "Cross-check: vda read 10 B of the 1000 B claimed\n");
  outcome.findings.check->result = world::CheckResult::kMore;
  EXPECT_EQ(findings_text(outcome.findings), "");
  outcome.findings.check.reset();
  EXPECT_EQ(findings_text(outcome.findings), "");
}

}  // namespace
}  // namespace mlps::results
