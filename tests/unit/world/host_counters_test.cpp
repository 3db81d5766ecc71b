#include "world/host_counters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mlps::world {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(ParseCounters, NamesAndNumbersOfVmstatAndMeminfo) {
  const NamedCounters vmstat = parse_counters("nr_free_pages 1234\npgpgin 5\nnr_dirty 18446744073709551615\n");
  EXPECT_THAT(*vmstat.names, ElementsAre("nr_free_pages", "pgpgin", "nr_dirty"));
  EXPECT_THAT(vmstat.values, ElementsAre(1234U, 5U, UINT64_MAX));
  const NamedCounters meminfo =
      parse_counters("MemTotal:       16384 kB\nActive(anon):     7 kB\nHugePages_Total:       3\n");
  EXPECT_THAT(*meminfo.names, ElementsAre("MemTotal", "Active(anon)", "HugePages_Total"));
  EXPECT_THAT(meminfo.values, ElementsAre(16384U, 7U, 3U));
}

TEST(ParseCounters, LinesWithoutANumberAreLeftOutAndNumbersTooLargeAreZero) {
  const NamedCounters counters = parse_counters(
      "\n \t\nname\nname value\nminus -3\nlarge 99999999999999999999999\ngood 1\ncut 12abc\n: 5\nno newline 9");
  EXPECT_THAT(*counters.names, ElementsAre("large", "good", "cut", ""));
  EXPECT_THAT(counters.values, ElementsAre(0U, 1U, 12U, 5U));
  ASSERT_NE(parse_counters("").names, nullptr);
  EXPECT_THAT(parse_counters(std::string_view("\0\xff 1\0", 5)).values, SizeIs(1));
}

TEST(ParseCpu, AllProcessorsTogether) {
  const auto cpu = parse_cpu("cpu  1 2 3 4 5 6 7 8 9 10 11\ncpu0 100 0 0 0\nintr 9\n");
  ASSERT_TRUE(cpu);
  EXPECT_THAT(cpu->ticks, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  const auto old_kernel = parse_cpu("cpu 10 20 30 40\n");
  ASSERT_TRUE(old_kernel);
  EXPECT_THAT(old_kernel->ticks, ElementsAre(10, 20, 30, 40, 0, 0, 0, 0, 0, 0));
  EXPECT_FALSE(parse_cpu("cpu 1 2 3\n"));
  EXPECT_FALSE(parse_cpu("cpu0 1 2 3 4\n"));
  EXPECT_FALSE(parse_cpu(""));
}

TEST(ParseResidentBytes, IsTheSecondWordInPages) {
  EXPECT_EQ(parse_resident_bytes("5000 123 45 6 0 7 0\n", 4096), 123U * 4096);
  EXPECT_FALSE(parse_resident_bytes("5000", 4096));
  EXPECT_FALSE(parse_resident_bytes("5000 many", 4096));
}

TEST(ParseLoad, TakesDamagedTextForNothingOrZero) {
  const auto load = parse_load("0.25 1.50 2.75 3/456 7890\n");
  ASSERT_TRUE(load);
  EXPECT_EQ(load->load_15min, 2.75);
  EXPECT_EQ(load->total_processes, 456U);
  EXPECT_FALSE(parse_load("0.1 0.2\n"));
  EXPECT_EQ(parse_load("a b c d\n")->running_processes, 0U);
}

// A /proc of our own.
class HostCountersTest : public ::testing::Test {
 protected:
  HostCountersTest() {
    root_ = std::filesystem::temp_directory_path() / ("mlps_host_counters_" + std::to_string(::getpid()));
    std::filesystem::create_directories(root_ / "net");
    std::filesystem::create_directories(root_ / "self");
    put("diskstats", " 259 0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n 8 0 sda 21 22 23\n");
    put("net/dev", "Inter-|\n face |\n    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
    put("vmstat", "pgpgin 10\npgpgout 20\n");
    put("meminfo", "MemTotal: 1000 kB\nMemFree: 300 kB\n");
    put("loadavg", "0.25 1.50 2.75 3/456 7890\n");
    put("stat", "cpu  1 2 3 4 5 6 7 8 9 10\n");
    put("self/statm", "100 2 1 1 0 1 0\n");
  }
  ~HostCountersTest() override { std::filesystem::remove_all(root_); }
  void put(const std::string& name, const std::string& text) { std::ofstream(root_ / name) << text; }

  std::filesystem::path root_;
};

TEST_F(HostCountersTest, ASampleHasEverything) {
  HostCounters counters(root_.string());
  const HostSample sample = counters.sample();
  EXPECT_THAT(sample.errors, IsEmpty());
  ASSERT_THAT(sample.disks, SizeIs(2));
  EXPECT_EQ(sample.disks[0].counters[2], 3U);
  EXPECT_EQ(sample.disks[1].device, "sda");
  EXPECT_THAT(sample.network, SizeIs(1));
  EXPECT_THAT(sample.vmstat.values, ElementsAre(10U, 20U));
  EXPECT_THAT(sample.meminfo.values, ElementsAre(1000U, 300U));
  EXPECT_EQ(sample.load->load_1min, 0.25);
  EXPECT_EQ(sample.cpu->ticks[3], 4U);
  EXPECT_EQ(sample.process.rss_bytes, 2U * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_GT(sample.at.wall_us, 0);
  EXPECT_GT(sample.memory_bytes(), 2 * sizeof(DiskFacts) + sizeof(NetworkFacts) + 4 * sizeof(uint64_t));
}

TEST_F(HostCountersTest, SamplesShareTheirNamesUntilTheyChange) {
  HostCounters counters(root_.string());
  const HostSample first = counters.sample();
  put("vmstat", "pgpgin 11\npgpgout 22\n");
  const HostSample second = counters.sample();
  EXPECT_EQ(first.vmstat.names.get(), second.vmstat.names.get());
  EXPECT_THAT(second.vmstat.values, ElementsAre(11U, 22U));
  put("vmstat", "pgpgin 12\nnew 1\n");
  const HostSample third = counters.sample();
  EXPECT_THAT(*third.vmstat.names, ElementsAre("pgpgin", "new"));
  EXPECT_THAT(*first.vmstat.names, ElementsAre("pgpgin", "pgpgout"));
}

TEST_F(HostCountersTest, WhatIsMissingOrNotUnderstoodStandsInErrors) {
  std::filesystem::remove(root_ / "vmstat");
  std::filesystem::remove(root_ / "net/dev");
  put("loadavg", "none\n");
  put("stat", "intr 1 2 3\n");
  put("self/statm", "\n");
  HostCounters counters(root_.string());
  const HostSample sample = counters.sample();
  EXPECT_THAT(sample.errors,
              UnorderedElementsAre(Pair("vmstat", HasSubstr((root_ / "vmstat").string())),
                                   Pair("netdev", HasSubstr("No such file")), Pair("loadavg", "not understood"),
                                   Pair("cpu", "not understood"), Pair("process", "not understood")));
  EXPECT_EQ(sample.vmstat.names, nullptr);
  EXPECT_FALSE(sample.load);
  EXPECT_THAT(sample.disks, SizeIs(2));
}

TEST_F(HostCountersTest, AFileThatIsTooLargeIsAnErrorAndNotAPart) {
  EXPECT_EQ(read_text((root_ / "vmstat").string(), 100).value(), "pgpgin 10\npgpgout 20\n");
  EXPECT_FALSE(read_text((root_ / "vmstat").string(), 10));
  EXPECT_FALSE(read_text(root_.string()));  // a folder
}

TEST(HostCounters, OfThisHostHaveWhatTheKernelOffers) {
  HostCounters counters;
  const HostSample first = counters.sample();
  const HostSample second = counters.sample();
  EXPECT_THAT(first.errors, IsEmpty());
  EXPECT_GT(first.process.rss_bytes, 0U);
  ASSERT_TRUE(first.cpu && second.cpu);
  EXPECT_GE(second.cpu->ticks[0], first.cpu->ticks[0]);
  EXPECT_EQ(first.vmstat.names.get(), second.vmstat.names.get());
}

}  // namespace
}  // namespace mlps::world
