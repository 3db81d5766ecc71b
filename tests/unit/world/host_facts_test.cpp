#include "world/host_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mlps::world {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

// A /proc of our own: two sockets' worth of numbers that can be checked by hand.
class HostFactsTest : public ::testing::Test {
 protected:
  HostFactsTest() {
    root_ = std::filesystem::temp_directory_path() / ("mlps_host_facts_" + std::to_string(::getpid()));
    std::filesystem::create_directories(root_ / "net");
    paths_ = {root_.string(), (root_ / "sys").string(), (root_ / "os-release").string()};
  }
  ~HostFactsTest() override { std::filesystem::remove_all(root_); }

  void put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }

  std::filesystem::path root_;
  HostPaths paths_;
};

TEST_F(HostFactsTest, MemoryIsInBytesAndUsedLeavesOutCaches) {
  put("meminfo",
      "MemTotal:       1000 kB\nMemFree:         300 kB\nMemAvailable:    600 kB\nBuffers:          50 kB\n"
      "Cached:          250 kB\nActive:          111 kB\nInactive:        222 kB\nShmem:             7 kB\n"
      "HugePages_Total:       3\n");
  const HostFacts facts = collect_host_facts(paths_);
  EXPECT_EQ(facts.memory.total, 1000U * 1024);
  EXPECT_EQ(facts.memory.available, 600U * 1024);
  EXPECT_EQ(facts.memory.used, 400U * 1024);  // 1000 - 300 - 50 - 250
  EXPECT_EQ(facts.memory.active, 111U * 1024);
  EXPECT_EQ(facts.memory.inactive, 222U * 1024);
  EXPECT_EQ(facts.memory.shared, 7U * 1024);
  EXPECT_EQ(facts.meminfo.front(), std::pair(std::string("MemTotal"), std::string("1000 kB")));
  EXPECT_EQ(facts.meminfo.back(), std::pair(std::string("HugePages_Total"), std::string("3")));
}

TEST_F(HostFactsTest, AvailableMemoryIsFoundOrUnknownNeverZero) {
  put("meminfo", "MemTotal:       16314068 kB\nMemAvailable:    9876543 kB\nBuffers: 1 kB\n");
  EXPECT_EQ(memory_of_host(paths_).available, uint64_t{9876543} * 1024);
  put("meminfo", "MemAvailable: 0 kB");
  EXPECT_EQ(memory_of_host(paths_).available, 0U);
  for (const char* text : {"", "\n\n", "MemTotal: 1 kB\n", "MemAvailable:", "MemAvailable:   \n",
                           "MemAvailable: x kB\n", "MemAvailable: 12 MB\n", "MemAvailable: 12\n",
                           "MemAvailable: -12 kB\n", "MemAvailable: 99999999999999999999 kB\n",
                           "MemAvailable: 18446744073709551615 kB\n", "xMemAvailable: 12 kB\n"}) {
    put("meminfo", text);
    EXPECT_FALSE(memory_of_host(paths_).available) << text;
  }
  EXPECT_GT(memory_of_host().available.value_or(0), 0U) << "this host has one";
}

TEST_F(HostFactsTest, CoresAreCountedOncePerSocketAndCore) {
  std::string text;
  for (int cpu = 0; cpu < 8; ++cpu) {  // 2 sockets x 2 cores x 2 threads
    text += "processor\t: " + std::to_string(cpu) +
            "\nmodel name\t: Test CPU @ 2.0GHz\nphysical id\t: " + std::to_string(cpu % 2) +
            "\ncore id\t\t: " + std::to_string(cpu / 2 % 2) + "\nflags\t\t: a b\n\n";
  }
  put("cpuinfo", text);
  const HostFacts facts = collect_host_facts(paths_);
  EXPECT_EQ(facts.cpu.logical_cores, 8U);
  EXPECT_EQ(facts.cpu.physical_cores, 4U);
  EXPECT_EQ(facts.cpu.sockets, 2U);
  EXPECT_EQ(facts.cpu.model, "Test CPU @ 2.0GHz");
  EXPECT_THAT(facts.cpuinfo, SizeIs(8));
  EXPECT_FALSE(facts.cpu.architecture.empty());
}

TEST_F(HostFactsTest, CpusWithoutCoreIdsCountAsCoresAndMachineStanzasDoNot) {
  put("cpuinfo", "processor : 0\nBogoMIPS : 50.0\n\nprocessor : 1\nBogoMIPS : 50.0\n\nHardware : Board\nSerial : 1\n");
  const HostFacts facts = collect_host_facts(paths_);
  EXPECT_EQ(facts.cpu.logical_cores, 2U);
  EXPECT_EQ(facts.cpu.physical_cores, 2U);
}

TEST_F(HostFactsTest, DiskCountersOfOldAndNewKernels) {
  put("diskstats",
      " 259  0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n   8  0 sda 21 22 23 24 25 26 27 28 29 30 31\nbad\n");
  const HostFacts facts = collect_host_facts(paths_);
  ASSERT_THAT(facts.disks, SizeIs(2));
  EXPECT_EQ(facts.disks[0].device, "nvme0n1");
  EXPECT_THAT(facts.disks[0].counters, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17));
  EXPECT_EQ(facts.disks[1].device, "sda");
  EXPECT_EQ(facts.disks[1].counters[10], 31U);
  EXPECT_EQ(facts.disks[1].counters[11], 0U);
}

TEST_F(HostFactsTest, NetworkCountersSkipTheHeader) {
  put("net/dev",
      "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes\n"
      "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\neth0:100 200 0 0 0 0 0 0 900 1000 0 0 0 0 0 0\n");
  const HostFacts facts = collect_host_facts(paths_);
  ASSERT_THAT(facts.network, SizeIs(2));
  EXPECT_EQ(facts.network[0].interface, "lo");
  EXPECT_EQ(facts.network[0].counters[8], 9U);  // tx_bytes
  EXPECT_EQ(facts.network[1].interface, "eth0");
  EXPECT_EQ(facts.network[1].counters[0], 100U);
  EXPECT_EQ(facts.network[1].counters[9], 1000U);
}

TEST_F(HostFactsTest, SystemTexts) {
  put("loadavg", "0.25 1.50 2.75 3/456 7890\n");
  put("uptime", "1234.56 99.0\n");
  put("version", "Linux version 6.1.0 (gcc)\n");
  put("os-release", "# comment\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nID=debian\nnonsense\n");
  const HostFacts facts = collect_host_facts(paths_);
  EXPECT_DOUBLE_EQ(facts.load_1min, 0.25);
  EXPECT_DOUBLE_EQ(facts.load_5min, 1.5);
  EXPECT_DOUBLE_EQ(facts.load_15min, 2.75);
  EXPECT_EQ(facts.running_processes, 3U);
  EXPECT_EQ(facts.total_processes, 456U);
  EXPECT_DOUBLE_EQ(facts.uptime_s, 1234.56);
  EXPECT_EQ(facts.kernel_version, "Linux version 6.1.0 (gcc)");
  EXPECT_THAT(facts.os_release,
              ElementsAre(Pair("NAME", "Debian GNU/Linux"), Pair("VERSION_ID", "12"), Pair("ID", "debian")));
}

TEST_F(HostFactsTest, ChassisAndDrives) {
  put("sys/class/dmi/id/product_name", "PowerEdge R760\n");
  const auto drive = [&](const std::string& name, const char* sectors, const char* removable) {
    put("sys/block/" + name + "/size", sectors);
    put("sys/block/" + name + "/removable", removable);
    put("sys/block/" + name + "/device/model", "Fast One   \n");
    put("sys/block/" + name + "/queue/rotational", "0\n");
    put("sys/block/" + name + "/queue/read_ahead_kb", "128\n");
  };
  drive("nvme0n1", "2000000\n", "0\n");
  drive("sda", "16\n", "0\n");
  put("sys/block/sda/device/sas_address", "0x5000\n");
  drive("vda", "8\n", "0\n");
  drive("sdb", "8\n", "1\n");
  drive("loop0", "8\n", "0\n");
  drive("nvme1n1", "0\n", "0\n");
  const SystemFacts system = collect_host_facts(paths_).system;
  EXPECT_EQ(system.chassis_model, "PowerEdge R760");
  EXPECT_THAT(system.drives, ElementsAre(DriveFacts{"nvme0n1", "", "Fast One", "nvme", 1024000000, false, "", 128},
                                         DriveFacts{"sda", "", "Fast One", "sas", 8192, false, "", 128},
                                         DriveFacts{"vda", "", "Fast One", "", 4096, false, "", 128}));
  put("sys/class/dmi/id/product_name", "To Be Filled By O.E.M.\n");
  EXPECT_EQ(collect_host_facts(paths_).system.chassis_model, "");
}

TEST_F(HostFactsTest, PortsAreHardwareAndBonds) {
  const auto port = [&](const std::string& name, const char* state, const char* speed, const char* type = "1") {
    put("sys/class/net/" + name + "/type", type);
    put("sys/class/net/" + name + "/operstate", state);
    put("sys/class/net/" + name + "/speed", speed);
  };
  port("eth0", "up", "25000");
  port("eth1", "down", "-1");
  port("eth2", "unknown", "-1");
  port("lo", "unknown", "0", "772");
  port("docker0", "up", "10000");
  port("vlan7", "up", "10000");
  put("sys/class/net/vlan7/iflink", "2");
  put("sys/class/net/vlan7/ifindex", "3");
  port("bond0", "up", "-1");
  put("sys/class/net/bond0/bonding/slaves", "p1 p2\n");
  for (const char* member : {"p1", "p2"}) {
    port(member, "up", "100000");
    put(std::string("sys/class/net/") + member + "/bonding_slave/state", "active");
  }
  put("sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE\n");
  put("sys/class/infiniband/mlx5_0/ports/1/rate", "200 Gb/sec (4X HDR)\n");
  EXPECT_THAT(collect_host_facts(paths_).system.ports,
              ElementsAre(PortFacts{"bond0", "ethernet", true, 200}, PortFacts{"eth0", "ethernet", true, 25},
                          PortFacts{"eth1", "ethernet", false, 0}, PortFacts{"eth2", "ethernet", false, 0},
                          PortFacts{"mlx5_0/1", "infiniband", true, 200}));
}

TEST_F(HostFactsTest, SysctlAndEnvironmentWithoutSecrets) {
  put("sys/vm/dirty_ratio", "20\n");
  put("sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
  put("sys/net/ipv4/icmp_ratelimit", "1000\n");
  put("sys/kernel/numa_balancing", "0\n");
  put("sys/kernel/hostname", "secret-host\n");
  const Environment environment({{"AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"},
                                 {"AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"},
                                 {"AWS_ENDPOINT_URL", "http://me:pass@127.0.0.1:9000"},
                                 {"NCCL_DEBUG", "INFO"},
                                 {"HOME", "/root"},
                                 {"BUCKET", "b"}});
  const SystemFacts system = collect_system_facts(paths_.sys, paths_.proc, environment);
  EXPECT_THAT(system.sysctl,
              ElementsAre(Pair("kernel.numa_balancing", "0"), Pair("net.ipv4.tcp_rmem", "4096\t131072\t6291456"),
                          Pair("vm.dirty_ratio", "20")));
  EXPECT_THAT(
      system.environment,
      ElementsAre(Pair("AWS_ACCESS_KEY_ID", "AKIA****MPLE"), Pair("AWS_ENDPOINT_URL", "http://****@127.0.0.1:9000"),
                  Pair("AWS_SECRET_ACCESS_KEY", "(13 characters)"), Pair("BUCKET", "b"), Pair("NCCL_DEBUG", "INFO")));
}

TEST_F(HostFactsTest, WhatCannotBeReadIsNamedAndWhatIsDamagedIsZero) {
  put("meminfo", "MemTotal: lots\nno separator\n\n:\n");
  put("loadavg", "x y\n");
  const HostFacts facts = collect_host_facts(paths_);
  EXPECT_EQ(facts.memory.total, 0U);
  EXPECT_EQ(facts.memory.used, 0U);
  EXPECT_EQ(facts.running_processes, 0U);
  EXPECT_THAT(facts.cpuinfo, IsEmpty());
  EXPECT_THAT(facts.unreadable, ::testing::Contains(paths_.proc + "/cpuinfo"));
  EXPECT_THAT(facts.unreadable, ::testing::Contains(paths_.os_release));
  EXPECT_THAT(facts.unreadable, ::testing::Not(::testing::Contains(paths_.proc + "/meminfo")));
}

TEST(HostFacts, OfThisHostArePlausible) {
  const HostFacts facts = collect_host_facts();
  EXPECT_EQ(facts.hostname, host_name());
  EXPECT_GT(facts.memory.total, facts.memory.free);
  EXPECT_GE(facts.cpu.logical_cores, 1U);
  EXPECT_GE(facts.cpu.logical_cores, facts.cpu.physical_cores);
  EXPECT_GT(facts.collected_wall_us, 0);
}

}  // namespace
}  // namespace mlps::world
