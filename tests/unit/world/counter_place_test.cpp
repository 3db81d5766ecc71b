#include "world/counter_place.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "world/addresses.hpp"

namespace mlps::world {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = CounterPlace::Kind;
namespace fs = std::filesystem;

// A /sys of our own: sda with a partition, a device-mapper device over two partitions.
class CounterPlaceTest : public ::testing::Test {
 protected:
  CounterPlaceTest() {
    root_ = fs::temp_directory_path() / ("mlps_counter_place_" + std::to_string(::getpid()));
    fs::create_directories(root_ / "dev/block");
    add("8:0", "devices/block/sda", "1");
    add("8:1", "devices/block/sda/sda1", "");
    add("8:16", "devices/block/sdb", "1");
    add("253:0", "devices/virtual/block/dm-0", "0");
    slave("dm-0", "sdb");
    slave("dm-0", "sda/sda1");
    std::ofstream(root_ / "mountinfo") << "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
                                          "25 24 0:23 / /dev/shm rw,relatime shared:4 - tmpfs tmpfs rw\nbroken 1\n";
    paths_ = {root_.string(), (root_ / "mountinfo").string()};
  }
  ~CounterPlaceTest() override { fs::remove_all(root_); }

  void add(const std::string& number, const std::string& device, const std::string& iostats) {
    fs::create_directories(root_ / device);
    fs::create_directory_symlink(root_ / device, root_ / "dev/block" / number);
    if (iostats.empty()) return;
    fs::create_directories(root_ / device / "queue");
    set_iostats(device, iostats);
  }
  void set_iostats(const std::string& device, const std::string& text) {
    std::ofstream(root_ / device / "queue/iostats") << text << '\n';
  }
  void slave(const std::string& upper, const std::string& lower) {
    const fs::path slaves = root_ / "devices/virtual/block" / upper / "slaves";
    fs::create_directories(slaves);
    fs::create_directory_symlink(root_ / "devices/block" / lower, slaves / fs::path(lower).filename());
  }

  fs::path root_;
  CounterPaths paths_;
};

TEST_F(CounterPlaceTest, ADiskAndAPartitionHaveCountersOfTheirOwn) {
  const CounterPlace disk = place_of_device(8, 0, paths_);
  EXPECT_EQ(disk.kind, Kind::kDisks);
  EXPECT_THAT(disk.disks, ElementsAre("sda"));
  EXPECT_THAT(place_of_device(8, 1, paths_).disks, ElementsAre("sda1"));
}

TEST_F(CounterPlaceTest, ALayeredDeviceThatCountsNothingStandsForThoseBelow) {
  const CounterPlace place = place_of_device(253, 0, paths_);
  EXPECT_EQ(place.kind, Kind::kDisks);
  EXPECT_THAT(place.disks, ElementsAre("sda1", "sdb"));
  set_iostats("devices/virtual/block/dm-0", "1");
  EXPECT_THAT(place_of_device(253, 0, paths_).disks, ElementsAre("dm-0"));
}

TEST_F(CounterPlaceTest, ADeviceWhoseCountingIsOffIsUncountable) {
  set_iostats("devices/block/sda", "0");
  for (const unsigned minor : {0U, 1U}) {
    const CounterPlace place = place_of_device(8, minor, paths_);
    EXPECT_EQ(place.kind, Kind::kUncountable);
    EXPECT_THAT(place.reason, HasSubstr("queue/iostats is 0"));
  }
  EXPECT_EQ(place_of_device(253, 0, paths_).kind, Kind::kUncountable);  // half of it would be a wrong count
}

TEST_F(CounterPlaceTest, LayersThatGoInCirclesEnd) {
  fs::create_directory_symlink(root_ / "devices/virtual/block/dm-0", root_ / "devices/virtual/block/dm-0/slaves/again");
  EXPECT_EQ(place_of_device(253, 0, paths_).kind, Kind::kUncountable);
}

TEST_F(CounterPlaceTest, AFileSystemWithoutABlockDeviceIsNamed) {
  const CounterPlace place = place_of_device(0, 23, paths_);
  EXPECT_EQ(place.kind, Kind::kUncountable);
  EXPECT_EQ(place.reason, "tmpfs (device 0:23) is on no block device of its own");
  EXPECT_THAT(place_of_device(0, 99, paths_).reason, HasSubstr("its file system (device 0:99)"));
  EXPECT_THAT(place_of_device(0, 99, paths_, "btrfs").reason, HasSubstr("btrfs (device 0:99)")) << "of a subvolume";
}

TEST(PlaceOfFolder, IsThatOfTheNearestAncestorThatIsThere) {
  const fs::path here = fs::temp_directory_path();
  const CounterPlace place = place_of_folder(here.string());
  const CounterPlace deeper = place_of_folder((here / "not_there" / "at_all").string());
  EXPECT_EQ(place.kind, deeper.kind);
  EXPECT_EQ(place.disks, deeper.disks);
  EXPECT_NE(place.kind, Kind::kNone);
  EXPECT_EQ(place_of_folder("").kind, Kind::kUncountable);
}

storage::Endpoint server(std::string host) {
  return {false, std::move(host), 9000};
}

TEST(PlaceOfServers, IsLoopbackOnlyIfEveryServerIsThisHost) {
  const std::set<std::string> own = {"10.0.0.5", "::1"};
  EXPECT_EQ(place_of_servers({server("127.0.0.1")}, own).kind, Kind::kLoopback);
  EXPECT_EQ(place_of_servers({server("10.0.0.5"), server("[::1]")}, own).kind, Kind::kLoopback);
  EXPECT_EQ(place_of_servers({server("10.0.0.5"), server("10.0.0.6")}, own).kind, Kind::kNetwork);
  EXPECT_EQ(place_of_servers({server("10.0.0.50")}, own).kind, Kind::kNetwork);
  EXPECT_EQ(place_of_servers({server("name.invalid")}, own).kind, Kind::kNetwork);
  EXPECT_EQ(place_of_servers({}, own).kind, Kind::kNetwork);
  EXPECT_THAT(addresses_of_this_host(), Contains("127.0.0.1"));
}

TEST(PlaceOf, NullStorageMovesNothing) {
  EXPECT_EQ(place_of(Location(Scheme::kNull, "", ""), {}).kind, Kind::kNone);
  EXPECT_EQ(place_of(Location(Scheme::kS3, "bucket", "prefix"), {server("127.0.0.1")}).kind, Kind::kLoopback);
}

}  // namespace
}  // namespace mlps::world
