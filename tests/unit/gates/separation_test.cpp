#include "gates/separation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "temporary_folder.hpp"

namespace mlps::gates {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

bool two_file_systems() {
  struct stat one {};
  struct stat other {};
  return ::stat("/tmp", &one) == 0 && ::stat("/dev/shm", &other) == 0 && one.st_dev != other.st_dev;
}

TEST(Separation, TwoFoldersOfOneFileSystem) {
  const TemporaryFolder checkpoints, results;
  const auto finding = compare_file_systems(checkpoints.path(), results.path());
  ASSERT_TRUE(finding) << finding.error().message;
  EXPECT_TRUE(finding->same_filesystem);
  EXPECT_EQ(finding->checkpoint_path, checkpoints.path());
  EXPECT_EQ(finding->results_path, results.path());
  EXPECT_THAT(finding->probed_at, MatchesRegex("20..-..-..T..:..:..Z"));
  EXPECT_FALSE(finding->probed_by_host.empty());
  const auto error = separation_error(*finding);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kInvalidStructure);
  EXPECT_THAT(error->message, HasSubstr(results.path()));
  EXPECT_THAT(error->suggestion, HasSubstr("--skip-fs-separation-gate"));
}

TEST(Separation, TwoFileSystems) {
  if (!two_file_systems()) GTEST_SKIP() << "/tmp and /dev/shm are one file system here";
  const TemporaryFolder checkpoints, results("/dev/shm");
  const auto finding = compare_file_systems(checkpoints.path(), results.path());
  ASSERT_TRUE(finding) << finding.error().message;
  EXPECT_FALSE(finding->same_filesystem);
  EXPECT_FALSE(separation_error(*finding));
  EXPECT_EQ(checkpoints.entries(), 0U);
  EXPECT_EQ(results.entries(), 0U);
}

TEST(Separation, ABindMountIsTheSameFileSystem) {
  const TemporaryFolder folder("/dev/shm"), elsewhere;
  if (::mount(folder.path().c_str(), elsewhere.path().c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "this user can't mount";
  }
  const auto finding = compare_file_systems(folder.path(), elsewhere.path());
  ::umount(elsewhere.path().c_str());
  ASSERT_TRUE(finding) << finding.error().message;
  EXPECT_TRUE(finding->same_filesystem) << "a hard link between the two would be refused with EXDEV";
}

TEST(Separation, OneFolderTwiceIsOneFileSystem) {
  const TemporaryFolder folder;
  const auto finding = compare_file_systems(folder.path(), folder.path());
  ASSERT_TRUE(finding) << finding.error().message;
  EXPECT_TRUE(finding->same_filesystem);
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(Separation, RealPathsSeeThroughLinks) {
  const TemporaryFolder checkpoints, results;
  const std::string link = results.path() + "/link";
  std::filesystem::create_directory_symlink(checkpoints.path(), link);
  const auto finding = compare_file_systems(link, results.path());
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->checkpoint_path, link);
  EXPECT_EQ(finding->checkpoint_realpath, std::filesystem::canonical(checkpoints.path()).string());
}

TEST(Separation, MissingFoldersAreE402AndLeaveNothing) {
  const TemporaryFolder folder;
  const auto no_results = compare_file_systems(folder.path(), folder.path() + "/absent");
  ASSERT_FALSE(no_results);
  EXPECT_EQ(no_results.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(no_results.error().message, HasSubstr("No such file or directory"));
  EXPECT_EQ(folder.entries(), 0U);
  const auto no_checkpoints = compare_file_systems(folder.path() + "/absent", folder.path());
  ASSERT_FALSE(no_checkpoints);
  EXPECT_EQ(no_checkpoints.error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace mlps::gates
