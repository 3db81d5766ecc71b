#include "base/mount_table.hpp"

#include <gtest/gtest.h>

namespace mlps {
namespace {

TEST(FileSystemOf, FollowsTheDash) {
  const char* text =
      "36 35 98:0 /a /b rw,noatime master:1 - ext3 /dev/root rw\n37 35 98:1 / / rw - \n38 35 98:2 / / rw\n";
  EXPECT_EQ(file_system_of(text, 98, 0), "ext3");
  EXPECT_EQ(file_system_of(text, 98, 1), "");
  EXPECT_EQ(file_system_of(text, 98, 2), "");
  EXPECT_EQ(file_system_of("", 1, 1), "");
}

TEST(MountOf, FindsTypeAndSourceById) {
  const char* text =
      "36 35 98:0 /a /b rw,noatime master:1 - ext3 /dev/root rw\n37 35 0:44 / /c rw - nfs4 server:/export rw\n"
      "x 35 98:1 / / rw - ext4\n";
  const auto nfs = mount_of(text, 37);
  ASSERT_TRUE(nfs);
  EXPECT_EQ(nfs->device, "0:44");
  EXPECT_EQ(nfs->type, "nfs4");
  EXPECT_EQ(nfs->source, "server:/export");
  EXPECT_FALSE(mount_of(text, 35));
  EXPECT_FALSE(mount_of("", 36));
}

}  // namespace
}  // namespace mlps
