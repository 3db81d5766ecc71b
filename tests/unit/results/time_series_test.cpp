#include "results/time_series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../support/job.hpp"
#include "results/run_hosts.hpp"
#include "results/sample_json.hpp"
#include "results/series_stream.hpp"
#include "sample.hpp"

namespace mlps::results {
namespace {

using nlohmann::ordered_json;
using sample::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kFile = "checkpointing_20260704_050040_timeseries.json";

constexpr Nanos kCloseNs = 60'000'000'000;

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
  series.requested_interval_s = 10;
  series.interval_s = 40;
  series.samples_taken = 12;
  series.cost_ns = 12 * 150'000;
  for (size_t i = 0; i < samples; ++i) series.samples.push_back(sample_at(static_cast<int64_t>(i) * 40));
  return series;
}

CheckpointContext context_of(const TemporaryFolder& root) {
  CheckpointContext context = sample::context(root.path());
  context.members.front().host = "node\"1";
  return context;
}

TEST(WriteTimeSeries, HasTheOriginalsShape) {
  const TemporaryFolder root;
  const auto file = write_time_series({root.path(), "20260704_050040"}, context_of(root), series_of(3));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->name, kFile);
  EXPECT_EQ(file->samples, 3U);
  const ordered_json json = root.json(kFile);
  EXPECT_THAT(sample::keys_of(json),
              ElementsAre("collection_interval_seconds", "start_time", "end_time", "num_samples", "samples_by_host",
                          "collection_method", "hosts_requested", "hosts_collected", "requested_interval_seconds",
                          "samples_taken", "mean_sample_cpu_us", "note"));
  EXPECT_EQ(json["collection_interval_seconds"], 40.0);
  EXPECT_EQ(json["start_time"], "2026-07-04T05:00:40.123456+00:00");
  EXPECT_EQ(json["end_time"], "2026-07-04T05:02:00.123456+00:00");
  EXPECT_EQ(json["num_samples"], 3);
  EXPECT_EQ(json["hosts_requested"], ordered_json({"node\"1"}));
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

// A series of process `index` of a job, so that every host's is told from the others'.
world::TimeSeries series_of_process(const world::Transport& transport, size_t samples) {
  world::TimeSeries series = series_of(samples);
  series.interval_s = 10 * (1 + transport.index());
  for (world::HostSample& sample : series.samples) sample.process.rss_bytes = transport.index();
  return series;
}

RunContext context_of_job(const TemporaryFolder& root, const std::vector<std::string>& hosts) {
  RunContext context = context_of(root);
  context.members.clear();
  for (const std::string& host : hosts) context.members.push_back({host, 1, 0, 0, {}, {}});
  return context;
}

// What process 0 wrote, with `hosts` in the job; process i gives 3 + i times `factor` samples.
ordered_json written_by_job(const TemporaryFolder& root, const std::vector<std::string>& hosts, size_t factor) {
  const RunContext context = context_of_job(root, hosts);
  const auto work = [&](world::Transport& transport) {
    const world::TimeSeries mine = series_of_process(transport, (3 + transport.index()) * factor);
    if (transport.index() != 0) {
      EXPECT_TRUE(send_time_series(mine, transport));
    } else {
      const auto file = gather_time_series({root.path(), "20260704_050040"}, context, mine, transport);
      ASSERT_TRUE(file) << file.error().message;
      EXPECT_EQ(file->hosts, host_names(context));
    }
    EXPECT_TRUE(transport.close(kCloseNs));
  };
  mlps::test::run_job(static_cast<uint32_t>(hosts.size()), work, hosts);
  EXPECT_THAT(root.files(), ElementsAre(kFile));
  return root.json(kFile);
}

TEST(GatherTimeSeries, HasTheSamplesOfEveryHost) {
  const TemporaryFolder root;
  const ordered_json json = written_by_job(root, {"c", "a", "b"}, 1);
  EXPECT_THAT(sample::keys_of(json["samples_by_host"]), ElementsAre("c", "a", "b"));
  EXPECT_EQ(json["num_samples"], 3 + 4 + 5);
  EXPECT_EQ(json["samples_taken"], 36);
  EXPECT_EQ(json["collection_interval_seconds"], 30.0);
  EXPECT_EQ(json["collection_method"], "mpi");
  EXPECT_EQ(json["hosts_requested"], ordered_json({"c", "a", "b"}));
  EXPECT_EQ(json["hosts_collected"], ordered_json({"c", "a", "b"}));
  const ordered_json& last = json["samples_by_host"]["b"];
  ASSERT_EQ(last.size(), 5U);
  EXPECT_EQ(last[4]["hostname"], "b");
  EXPECT_EQ(last[4]["process"]["rss_bytes"], 2);
}

TEST(GatherTimeSeries, LongOnesTravelInPieces) {
  const TemporaryFolder root;
  constexpr size_t kFactor = 400;  // more than a MiB of every host
  const ordered_json json = written_by_job(root, {"c", "a", "b"}, kFactor);
  EXPECT_GT(root.text(kFile).size(), size_t{4} << 20);
  size_t process = 0;
  for (const auto& [host, samples] : json["samples_by_host"].items()) {
    ASSERT_EQ(samples.size(), (3 + process) * kFactor) << host;
    EXPECT_NE(samples.front()["timestamp"], samples.back()["timestamp"]);
    for (const auto& sample : samples) ASSERT_EQ(sample["process"]["rss_bytes"], process);
    ++process;
  }
}

TEST(GatherTimeSeries, CountersOfAHostWithTwoProcessesStandOnce) {
  const TemporaryFolder root;
  const ordered_json json = written_by_job(root, {"a", "b", "a"}, 1);
  EXPECT_THAT(sample::keys_of(json["samples_by_host"]), ElementsAre("a", "b"));
  EXPECT_EQ(json["num_samples"], 3 + 4);
  EXPECT_EQ(json["samples_by_host"]["a"][0]["process"]["rss_bytes"], 0);
}

TEST(GatherTimeSeries, AFileThatCannotBeWrittenFailsNobodyElse) {
  mlps::test::run_job(3, [&](world::Transport& transport) {
    const world::TimeSeries mine = series_of_process(transport, 4);
    if (transport.index() != 0) {
      EXPECT_TRUE(send_time_series(mine, transport));
    } else {
      const TemporaryFolder root;
      const auto file =
          gather_time_series({root.path() + "/gone", "x"}, context_of_job(root, {"a", "b", "c"}), mine, transport);
      ASSERT_FALSE(file);
      EXPECT_THAT(file.error().message, HasSubstr("/gone"));
    }
    EXPECT_TRUE(transport.close(kCloseNs));
  });
}

TEST(GatherTimeSeries, AfterAFailureThisHostsOwnRemain) {
  const TemporaryFolder root;
  mlps::test::run_job(2, [&](world::Transport& transport) {
    const RunFolder folder{root.path(), "20260704_050040"};
    const RunContext context = context_of_job(root, {"a", "b"});
    (void)transport.barrier();  // so that everybody is there; it may fail by the other's failure
    transport.failure().raise({ErrorCode::kDiskFull, "full"});
    const world::TimeSeries mine = series_of_process(transport, 4);
    if (transport.index() != 0) {
      EXPECT_FALSE(send_time_series(mine, transport));
    } else {
      EXPECT_FALSE(gather_time_series(folder, context, mine, transport));
      const auto file = write_time_series(folder, context, mine);
      ASSERT_TRUE(file);
      EXPECT_EQ(file->hosts, std::vector<std::string>{"a"});
    }
    EXPECT_FALSE(transport.close(kCloseNs));
  });
  const ordered_json json = root.json(kFile);
  EXPECT_EQ(json["hosts_requested"], ordered_json({"a", "b"}));
  EXPECT_EQ(json["hosts_collected"], ordered_json({"a"}));
  EXPECT_EQ(json["collection_method"], "local");
}

// Its clock is ahead, so its moments are moved back.
TEST(SeriesStream, TellsTheTimeOfProcess0) {
  const std::vector<world::Member> members = {{"a", 1, {}}, {"b", 2, {7, 1'000'000'000, 0}}};
  const world::TimeSeries series = series_of(2);
  SeriesStream stream(series, members, 1);
  const auto head = unpack_series_head("host b", stream.next());
  ASSERT_TRUE(head);
  EXPECT_EQ(head->start_us, sample::kWallUs - 1'000'000);
  EXPECT_EQ(head->end_us, sample::kWallUs + 39'000'000);
  const ordered_json samples = ordered_json::parse("[" + stream.next() + "]");
  EXPECT_EQ(samples[0]["timestamp"], "2026-07-04T05:00:39.123456+00:00");
  EXPECT_EQ(stream.next(), "");
}

TEST(SeriesHead, DamagedBytesAreRefused) {
  const std::string good = pack(SeriesHead{"b", 1, 2, 3, 4, 5, 6, 7});
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(unpack_series_head("host b", std::string_view(good).substr(0, length))) << length;
  }
  EXPECT_FALSE(unpack_series_head("host b", good + "x"));
}

TEST(SampleJson, HasEveryCounterByItsName) {
  const ordered_json json = ordered_json::parse(sample_json("node", sample_at(0), sample::kWallUs).dump());
  EXPECT_THAT(sample::keys_of(json), ElementsAre("timestamp", "hostname", "diskstats", "vmstat", "meminfo", "loadavg",
                                                 "netdev", "cpu", "process"));
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
  const ordered_json json = ordered_json::parse(sample_json("node", sample, sample::kWallUs).dump());
  EXPECT_THAT(sample::keys_of(json),
              ElementsAre("timestamp", "hostname", "meminfo", "netdev", "cpu", "process", "errors"));
  EXPECT_EQ(json["netdev"], ordered_json::array());
  EXPECT_EQ(json["errors"]["diskstats"], "open: denied");
  EXPECT_EQ(json["errors"].size(), 3U);
}

}  // namespace
}  // namespace mlps::results
