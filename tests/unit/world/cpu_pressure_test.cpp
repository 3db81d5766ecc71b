#include "world/cpu_pressure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mlps::world {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kVersion1 =
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST(CpuGroupFolders, AreThoseOfTheControllerAndAllAround) {
  EXPECT_THAT(cpu_group_folders("4:memory:/m\n3:cpuset:/s\n1:cpu,cpuacct:/a/b\n0::/\n", kVersion1),
              ElementsAre("/sys/fs/cgroup/cpu,cpuacct/a/b", "/sys/fs/cgroup/cpu,cpuacct/a",
                          "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified"));
  EXPECT_THAT(cpu_group_folders("0::/user.slice/run\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
              ElementsAre("/sys/fs/cgroup/user.slice/run", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"));
}

TEST(CpuGroupFolders, OfAContainerThatSeesItsOwnPartOnly) {
  EXPECT_THAT(
      cpu_group_folders("1:cpu:/docker/7f\n", "9 8 0:9 /docker/7f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"),
      ElementsAre("/sys/fs/cgroup/cpu"));
}

TEST(CpuGroupFolders, NothingOfTextsThatAreOtherwise) {
  EXPECT_THAT(cpu_group_folders("", kVersion1), IsEmpty());
  EXPECT_THAT(cpu_group_folders("1:cpu:/a\n", "a b - cgroup\n\n - - -\n"), IsEmpty());
  EXPECT_THAT(cpu_group_folders("nonsense\n:\n0::\n", "1 2 3 / /c rw - cgroup2 x rw\n"), ElementsAre("/c"));
}

TEST(Throttling, AddsBothVersions) {
  CpuPressure pressure;
  add_throttling("usage_usec 5\nuser_usec 3\n", pressure);
  EXPECT_FALSE(pressure.throttled_ns) << "no quota";
  add_throttling("nr_periods 9\nnr_throttled 4\nthrottled_time 700\n", pressure);
  add_throttling("nr_throttled 1\nthrottled_usec 2\n", pressure);
  EXPECT_EQ(pressure.throttled_periods, 5U);
  EXPECT_EQ(pressure.throttled_ns, 2'700);
}

TEST(CpuPressure, IsWhatTheHostTellsAndNothingElse) {
  const std::filesystem::path root = ::testing::TempDir() + "cpu_pressure_test";
  const auto put = [&](const char* name, const char* text) {
    std::filesystem::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  };
  EXPECT_EQ(cpu_pressure(root / "nowhere").steal_ns, std::nullopt);
  put("proc/self/cgroup", "0::/a\n");
  put("proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
  put("cg/a/cpu.stat", "nr_throttled 2\nthrottled_usec 30\n");
  put("proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\n");
  put("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\nfull avg10=0.00 total=99\n");
  put("proc/self/task/1/schedstat", "100 20 3\n");
  put("proc/self/task/2/schedstat", "100 5 3\n");
  const CpuPressure now = cpu_pressure(root);
  EXPECT_EQ(now.throttled_ns, 30'000);
  EXPECT_EQ(now.steal_ns, 8 * 10'000'000);
  EXPECT_EQ(now.stalled_ns, 12'000);
  EXPECT_EQ(now.threads_ns, 25);
  const CpuPressure since = now.since({1, 10'000, std::nullopt, 13'000, 20});
  EXPECT_EQ(since.throttled_periods, 1U);
  EXPECT_EQ(since.throttled_ns, 20'000);
  EXPECT_EQ(since.steal_ns, std::nullopt) << "not known before";
  EXPECT_EQ(since.stalled_ns, 0) << "a total that fell";
  EXPECT_EQ(since.threads_ns, 5);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace mlps::world
