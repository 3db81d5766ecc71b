#include "results/run_hosts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/units.hpp"
#include "benchmarks/checkpointing/results/files.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "results/host_consistency.hpp"
#include "results/hosts_table.hpp"
#include "sample.hpp"

namespace mlps::results {
namespace {

using nlohmann::ordered_json;
using sample::TemporaryFolder;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr const char* kHostsMetadata = "checkpointing_20260704_050040_metadata.json";

/// A passed run of 8 ranks: 2 on host b, 3 in each of the two processes on host a.
void write_hosts_run(const TemporaryFolder& root, const RunOutcome& outcome = sample::outcome()) {
  CheckpointContext context = sample::context(root.path());
  sample::use_three_processes(context, 2, 3);
  const Status written = write_finished({root.path(), "20260704_050040"}, context, sample::passed(8, 1, 1), outcome);
  ASSERT_TRUE(written) << written.error().message;
}

TEST(HostsOf, CountsAHostOnceWhateverItsProcesses) {
  RunContext context;
  sample::use_three_processes(context, 2, 3);
  const std::vector<RunHost> hosts = hosts_of(context);
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts[0].name, "b");
  EXPECT_EQ(hosts[0].ranks, 2U);
  EXPECT_THAT(hosts[0].members, ElementsAre(0));
  EXPECT_EQ(hosts[1].name, "a");
  EXPECT_EQ(hosts[1].ranks, 6U);
  EXPECT_THAT(hosts[1].members, ElementsAre(1, 2));
}

TEST(MemberOfRank, AtTheBorders) {
  RunContext context;
  sample::use_three_processes(context, 2, 3);
  const std::vector<int64_t> pids = {11, 11, 12, 12, 12, 13, 13, 13};
  for (uint32_t rank = 0; rank < pids.size(); ++rank) EXPECT_EQ(member_of_rank(context, rank).pid, pids[rank]) << rank;
}

TEST(MemberOfRank, PassesOverProcessesWithoutRanks) {
  RunContext context;
  context.members = {{"a", 1, 0, 2, {}, {}}, {"b", 2, 2, 0, {}, {}}, {"c", 3, 2, 1, {}, {}}, {"d", 4, 3, 0, {}, {}}};
  EXPECT_EQ(member_of_rank(context, 1).host, "a");
  EXPECT_EQ(member_of_rank(context, 2).host, "c");
}

TEST(CheckMembers, WantsEveryRankOnce) {
  RunContext context;
  context.processes = 3;
  EXPECT_FALSE(check_members(context));
  context.members = {{"a", 1, 0, 2, {}, {}}, {"b", 2, 2, 1, {}, {}}};
  EXPECT_TRUE(check_members(context));
  context.processes = 4;
  EXPECT_FALSE(check_members(context));
  context.members[1] = {"b", 2, 1, 3, {}, {}};
  EXPECT_FALSE(check_members(context));
}

TEST(HostsAtEnd, AreThoseThatSomebodyKnows) {
  RunContext context;
  sample::use_three_processes(context, 2, 3);
  RunOutcome outcome;
  EXPECT_THAT(hosts_at_end(context, outcome), IsEmpty());
  outcome.host_ends = {std::nullopt, std::nullopt, sample::facts("a")};
  const std::vector<HostView> ends = hosts_at_end(context, outcome);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].name, "a");
  EXPECT_EQ(ends[0].facts, &*outcome.host_ends[2]);
}

// Of the 8 files of 64 KiB that DLIO takes a run without a data set for, host a with 6 of 8 ranks would read 6.
TEST(ManyHosts, SummaryHasOneRightEntryPerHost) {
  const TemporaryFolder root;
  write_hosts_run(root);
  const ordered_json summary = root.json("summary.json");
  EXPECT_EQ(summary["num_hosts"], 2);
  EXPECT_EQ(summary["num_accelerators"], 8);
  EXPECT_EQ(summary["hostname"], "b");
  EXPECT_EQ(summary["host_cpu_count"], ordered_json({8, 12}));
  EXPECT_EQ(summary["host_memory_GB"], ordered_json({64.0, 80.0}));
  EXPECT_EQ(summary["potential_caching"], ordered_json({1, 1}));
  EXPECT_EQ(summary["data_size_per_host_GB"], 6 * 65536.0 / (1 << 30));
  EXPECT_EQ(summary["metric"]["checkpoint_size_GB"], 24.0);
  EXPECT_EQ(summary["host_cpuinfo"]["cpu MHz"], "2001.5");
}

TEST(ManyHosts, PotentialCachingIsEveryHostsOwn) {
  const TemporaryFolder root;
  CheckpointContext context = sample::context(root.path());
  sample::use_three_processes(context, 2, 3);
  context.members[0].facts.memory.total = 6 * 65536;  // not more than a host's data
  ASSERT_TRUE(write_finished({root.path(), "20260704_050040"}, context, sample::passed(8, 1, 1), sample::outcome()));
  EXPECT_EQ(root.json("summary.json")["potential_caching"], ordered_json({0, 1}));
  EXPECT_EQ(root.json("1_output.json")["potential_caching"], 0);
  EXPECT_EQ(root.json("2_output.json")["potential_caching"], 1);
}

TEST(ManyHosts, RankFilesHaveTheFactsOfTheRanksHost) {
  const TemporaryFolder root;
  write_hosts_run(root);
  const std::vector<std::string> hosts = {"b", "b", "a", "a", "a", "a", "a", "a"};
  for (size_t rank = 0; rank < hosts.size(); ++rank) {
    const ordered_json output = root.json(std::to_string(rank) + "_output.json");
    EXPECT_EQ(output["hostname"], hosts[rank]) << rank;
    EXPECT_EQ(output["host_memory_GB"], hosts[rank] == "b" ? 64.0 : 80.0) << rank;
    EXPECT_EQ(output["host_cpu_count"], hosts[rank] == "b" ? 8 : 12) << rank;
    EXPECT_EQ(output["host_cpuinfo"]["cpu MHz"], hosts[rank] == "b" ? "2001.5" : "2000.5") << rank;
  }
}

TEST(ManyHosts, ClusterInfoIsKeyedByHost) {
  const TemporaryFolder root;
  write_hosts_run(root);
  const ordered_json cluster = root.json("checkpointing_cluster_info.json");
  EXPECT_THAT(sample::keys_of(cluster), ElementsAre("b", "a", "_metadata"));
  EXPECT_EQ(cluster["b"]["hostname"], "b");
  EXPECT_EQ(cluster["b"]["cpuinfo"].size(), 2U);
  EXPECT_EQ(cluster["a"]["cpuinfo"].size(), 1U);
  EXPECT_EQ(cluster["_metadata"]["collection_method"], "mpi");
}

TEST(ManyHosts, SystemInfoSumsOverHosts) {
  const TemporaryFolder root;
  RunOutcome outcome = sample::outcome();
  outcome.host_ends = {std::nullopt, sample::facts("a"), sample::facts("a")};
  write_hosts_run(root, outcome);
  const ordered_json metadata = root.json(kHostsMetadata);
  const ordered_json& info = metadata["system_info"];
  EXPECT_EQ(info["num_hosts"], 2);
  EXPECT_EQ(info["total_memory_bytes"], 144 * kGiB);
  EXPECT_EQ(info["min_memory_bytes"], 64 * kGiB);
  EXPECT_EQ(info["max_memory_bytes"], 80 * kGiB);
  EXPECT_EQ(info["total_cores"], 10);
  EXPECT_EQ(info["collection_method"], "mpi");
  ASSERT_EQ(info["hosts"].size(), 2U);
  EXPECT_EQ(info["hosts"][0]["hostname"], "b");
  EXPECT_EQ(info["hosts"][1]["hostname"], "a");
  EXPECT_EQ(info["host_consistency_issues"],
            ordered_json({"memory differs by more than 10 %: 64 GiB on b, 80 GiB on a",
                          "number of cores differs: 4 cores (8 logical) on b; 6 cores (12 logical) on a"}));
  EXPECT_EQ(metadata["cluster_snapshots"]["start"], info);
  EXPECT_EQ(metadata["cluster_snapshots"]["end"]["num_hosts"], 1);
  EXPECT_EQ(metadata["cluster_snapshots"]["end"]["hosts"][0]["hostname"], "a");
  EXPECT_EQ(metadata["cluster_snapshots"]["collection_method"], "mpi");
}

TEST(ManyHosts, TheRecordHasEveryProcess) {
  const TemporaryFolder root;
  RunOutcome outcome = sample::outcome();
  outcome.host_ends = {sample::facts("b"), std::nullopt, sample::facts("a")};
  write_hosts_run(root, outcome);
  const ordered_json record = root.json("mlpstorage_record.json");
  EXPECT_FALSE(record.contains("host"));
  EXPECT_EQ(record["invocation"]["hostname"], "b");
  ASSERT_EQ(record["hosts"].size(), 3U);
  const ordered_json& second = record["hosts"][1];
  EXPECT_EQ(second["host"], "a");
  EXPECT_EQ(second["process"], 1);
  EXPECT_EQ(second["pid"], 12);
  EXPECT_EQ(second["first_rank"], 2);
  EXPECT_EQ(second["ranks"], 3);
  EXPECT_EQ(second["clock"],
            ordered_json({{"monotonic_offset_ns", 1000}, {"wall_offset_ns", -2000}, {"error_ns", 30}}));
  EXPECT_EQ(second["start"]["memory"]["total"], 80 * kGiB);
  EXPECT_TRUE(second["end"].is_null());
  EXPECT_EQ(record["hosts"][2]["end"]["hostname"], "a");
  EXPECT_EQ(record["hosts"][0]["end"]["hostname"], "b");
}

// Process 0's share alone: what can be had of a job that failed.
TEST(ManyHosts, AShareHasFilesOfItsOwnRanksOnly) {
  const TemporaryFolder root;
  CheckpointContext context = sample::context(root.path());
  sample::use_three_processes(context, 2, 3);
  checkpointing::RunRecord record = sample::failed(8);
  record.hosts = {sample::part("b", 0, 0, 2)};
  ASSERT_TRUE(write_finished({root.path(), "20260704_050040"}, context, record, sample::outcome()));
  EXPECT_THAT(root.files(), IsSupersetOf({"0_output.json", "1_output.json", "1_per_epoch_stats.json"}));
  EXPECT_THAT(root.files(), Not(Contains("2_output.json")));
  EXPECT_THAT(root.files(), Not(Contains("2_per_epoch_stats.json")));
  const ordered_json record_json = root.json("mlpstorage_record.json");
  EXPECT_EQ(record_json["hosts"][0]["part"]["bytes_read"], kGiB);
  EXPECT_EQ(record_json["hosts"][0]["part"]["cpu_system_s"], 0.5);
  EXPECT_TRUE(record_json["hosts"][1]["part"].is_null());
}

TEST(HostsTable, HasARowPerProcess) {
  std::vector<run::HostPart> parts = {sample::part("b", 0, 0, 2), sample::part("a", 1, 2, 1),
                                      sample::part("a", 2, 3, 0)};
  parts[1].clock = {5, -1'234'000, 20'000};
  EXPECT_EQ(hosts_table(parts),
            "  host           ranks   read  written  CPU s  peak memory        clock, ms\n"
            "  b                0-1  1 GiB    2 GiB   2.00      300 MiB  +0.000 +- 0.000\n"
            "  a (process 1)      2  1 GiB    2 GiB   2.00      300 MiB  -1.234 +- 0.020\n"
            "  a (process 2)      -  1 GiB    2 GiB   2.00      300 MiB  +0.000 +- 0.000\n");
  EXPECT_EQ(hosts_table({parts[0]}), "");
}

TEST(HostsTable, StandsInTheResultTableOfSeveralProcesses) {
  checkpointing::RunRecord record = sample::passed(2, 1, 1);
  record.hosts = {sample::part("b", 0, 0, 2)};
  EXPECT_THAT(result_table(record), Not(HasSubstr("clock, ms")));
  record.hosts = {sample::part("b", 0, 0, 1), sample::part("a", 1, 1, 1)};
  EXPECT_THAT(result_table(record), HasSubstr("clock, ms"));
}

TEST(ManyHosts, MembersWithoutTheRunsRanksAreADefect) {
  const TemporaryFolder root;
  CheckpointContext context = sample::context(root.path());
  context.members.clear();
  const Status written =
      write_finished({root.path(), "20260704_050040"}, context, sample::passed(2, 1, 1), sample::outcome());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kInternal);
}

class Consistency : public ::testing::Test {
 protected:
  Consistency() {
    for (const char* name : {"a", "b", "c", "d", "e"}) facts.push_back(sample::facts(name));
    for (const world::HostFacts& host : facts) hosts.push_back({host.hostname, &host});
    for (world::HostFacts& host : facts) {
      host.kernel_version = "Linux version 6.1.0-13-amd64 (debian-kernel@lists) #1 SMP";
      host.os_release = {{"ID", "debian"}, {"VERSION_ID", "12"}};
    }
  }

  std::vector<world::HostFacts> facts;
  std::vector<HostView> hosts;
};

TEST_F(Consistency, HostsThatAreAlikeHaveNoIssue) {
  EXPECT_THAT(consistency_issues(hosts), IsEmpty());
  facts[1].memory.total = facts[0].memory.total / 10 * 11;  // just within
  EXPECT_THAT(consistency_issues(hosts), IsEmpty());
  EXPECT_THAT(consistency_issues({hosts[0]}), IsEmpty());
}

TEST_F(Consistency, MemoryBeyondATenth) {
  facts[1].memory.total = facts[0].memory.total / 10 * 12;
  EXPECT_THAT(consistency_issues(hosts), ElementsAre("memory differs by more than 10 %: 64 GiB on a, 76.8 GiB on b"));
  facts[2].memory.total = 0;
  EXPECT_THAT(consistency_issues(hosts), ElementsAre(HasSubstr("0 B on c, 76.8 GiB on b")));
}

TEST_F(Consistency, KernelsAndSystems) {
  facts[1].kernel_version = "Linux version 6.5.0 (x) #2";
  facts[4].kernel_version = "";
  facts[0].os_release = {{"ID", "debian"}, {"VERSION_ID", "11"}};
  EXPECT_THAT(consistency_issues(hosts),
              ElementsAre("operating system differs: debian 11 on a; debian 12 on b, c, d and 1 more",
                          "kernel differs: 6.1.0-13-amd64 on a, c, d; 6.5.0 on b; unknown on e"));
}

}  // namespace
}  // namespace mlps::results
