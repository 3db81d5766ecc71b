#include "base/control_group.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/units.hpp"

namespace mlps {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ControlGroupTest : public ::testing::Test {
 protected:
  ~ControlGroupTest() override { std::filesystem::remove_all(root_); }
  void put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  void version_2(const std::string& group) {
    put("proc/self/cgroup", "0::" + group + "\n");
    put("proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n");
  }

  std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("mlps_control_group_" + std::to_string(::getpid()));
};

TEST_F(ControlGroupTest, AGroupAndThoseAroundIt) {
  version_2("/job/step");
  EXPECT_THAT(control_group_folders("memory", root_),
              ElementsAre("/sys/fs/cgroup/job/step", "/sys/fs/cgroup/job", "/sys/fs/cgroup"));
  put("proc/self/cgroup", "4:memory:/docker/1\n3:cpu,cpuacct:/\n");
  put("proc/self/mountinfo",
      "30 24 0:26 /docker/1 /cg/memory rw - cgroup cgroup rw,memory\n31 24 0:27 / /cg/cpu rw - cgroup cgroup "
      "rw,cpuacct,cpu\nodd\n");
  EXPECT_THAT(control_group_folders("memory", root_), ElementsAre("/cg/memory"));
  EXPECT_THAT(control_group_folders("cpu", root_), ElementsAre("/cg/cpu"));
  EXPECT_THAT(control_group_folders("pids", root_), IsEmpty());
}

TEST_F(ControlGroupTest, TheTightestMemoryLimitCountsAndFilesMakeWay) {
  version_2("/job/step");
  EXPECT_FALSE(memory_limit(root_));
  put("sys/fs/cgroup/job/step/memory.max", "max\n");
  EXPECT_FALSE(memory_limit(root_));
  put("sys/fs/cgroup/job/memory.max", std::to_string(200 * kMiB) + "\n");
  put("sys/fs/cgroup/job/memory.current", std::to_string(150 * kMiB) + "\n");
  put("sys/fs/cgroup/job/memory.stat", "anon 1\nactive_file 1048576\ninactive_file 104857600\n");
  const auto limit = memory_limit(root_);
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->limit_bytes, 200 * kMiB);
  EXPECT_EQ(limit->used_bytes, 49 * kMiB);
  EXPECT_EQ(limit->room_bytes(), 151 * kMiB);
  EXPECT_EQ(limit->folder, "/sys/fs/cgroup/job");
  put("sys/fs/cgroup/job/step/memory.max", "1048576\n");
  EXPECT_EQ(memory_limit(root_)->folder, "/sys/fs/cgroup/job/step");
}

TEST_F(ControlGroupTest, Version1) {
  put("proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/a\n");
  put("proc/self/mountinfo",
      "30 24 0:26 / /m rw - cgroup cgroup rw,memory\n31 24 0:27 / /c rw - cgroup cgroup rw,cpu,cpuacct\n");
  put("m/memory.limit_in_bytes", "9223372036854771712\n");
  put("m/a/memory.limit_in_bytes", "1000\n");
  put("m/a/memory.usage_in_bytes", "700\n");
  put("m/a/memory.stat", "inactive_file 5\ntotal_inactive_file 100\ntotal_active_file 200\n");
  EXPECT_EQ(memory_limit(root_)->room_bytes(), 600U);
  put("c/cpu.cfs_quota_us", "-1\n");
  put("c/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(processor_limit(root_));
  put("c/a/cpu.cfs_quota_us", "250000\n");
  put("c/a/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(*processor_limit(root_), 2.5);
}

TEST_F(ControlGroupTest, ProcessorsOfVersion2) {
  version_2("/a");
  put("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_FALSE(processor_limit(root_));
  put("sys/fs/cgroup/a/cpu.max", "5000 100000\n");
  EXPECT_DOUBLE_EQ(*processor_limit(root_), 0.05);
  put("sys/fs/cgroup/a/cpu.max", "lots\n");
  EXPECT_FALSE(processor_limit(root_));
}

}  // namespace
}  // namespace mlps
