#include "results/run_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <thread>

#include "base/clock.hpp"
#include "sample.hpp"

namespace mlps::results {
namespace {

namespace fs = std::filesystem;
using sample::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

RunFolderRequest request_in(const TemporaryFolder& folder) {
  return {folder.path(), "closed", "acme", "box", "llama3-8b", "checkpointing"};
}

TEST(Segments, OnlySafeNames) {
  for (const char* good : {"acme", "A-b_c.9", "...", ".hidden", "-"})
    EXPECT_TRUE(check_segment("orgname", good)) << good;
  for (const char* bad : {"", ".", "..", "a/b", "../x", "a b", "a\nb", "\xC3\xA4", "a;b", "~", "$HOME", "a\\b", "*"}) {
    const Status status = check_segment("orgname", bad);
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().code, ErrorCode::kConfigInvalid);
    EXPECT_THAT(status.error().message, HasSubstr("orgname"));
  }
  EXPECT_FALSE(check_segment("orgname", std::string_view("a\0b", 3)));
}

TEST(ClaimRunFolder, PathOfTheOriginal) {
  const TemporaryFolder root;
  const std::string before = run_stamp(Stamp::now().wall_us);
  const auto folder = claim_run_folder(request_in(root));
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_GE(folder->run_datetime, before);
  EXPECT_EQ(folder->path, root.path() + "/closed/acme/results/box/checkpointing/llama3-8b/" + folder->run_datetime);
  EXPECT_TRUE(fs::is_directory(folder->path));
}

// Readers order runs by these names, and take differences of them and of stamps.
TEST(ClaimRunFolder, ManyAtOnceHaveNamesOfTheirOwnThatAreNotAheadOfTheClock) {
  const TemporaryFolder root;
  std::vector<std::string> names(3), ends(3);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < names.size(); ++i) {
      threads.emplace_back([&, i] {
        names[i] = claim_run_folder(request_in(root)).value_or(RunFolder{}).run_datetime;
        ends[i] = run_stamp(Stamp::now().wall_us);
      });
    }
  }
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_THAT(names[i], SizeIs(15));
    EXPECT_LE(names[i], ends[i]);
  }
}

TEST(ClaimRunFolder, UnsafeNamesAreRefusedBeforeAnythingIsMade) {
  const TemporaryFolder root;
  for (std::string RunFolderRequest::*member :
       {&RunFolderRequest::mode, &RunFolderRequest::orgname, &RunFolderRequest::systemname, &RunFolderRequest::model}) {
    for (const char* bad : {"", "..", "../../etc", "a/b"}) {
      RunFolderRequest request = request_in(root);
      request.*member = bad;
      const auto folder = claim_run_folder(request);
      ASSERT_FALSE(folder);
      EXPECT_EQ(folder.error().code, ErrorCode::kConfigInvalid);
    }
  }
  EXPECT_TRUE(fs::is_empty(root.path()));
}

TEST(ClaimRunFolder, AMissingResultsDirectoryIsNotMade) {
  const TemporaryFolder root;
  RunFolderRequest request = request_in(root);
  request.results_dir += "/absent";
  const auto folder = claim_run_folder(request);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kPathNotFound);
  EXPECT_THAT(folder.error().message, HasSubstr("absent"));
  EXPECT_THAT(folder.error().suggestion, HasSubstr("init"));
  EXPECT_FALSE(fs::exists(request.results_dir));
}

TEST(ClaimRunFolder, AFileWhereAFolderIsNeeded) {
  const TemporaryFolder root;
  ASSERT_TRUE(write_file(root.path() + "/closed", "in the way"));
  EXPECT_FALSE(claim_run_folder(request_in(root)));
  RunFolderRequest request = request_in(root);
  request.results_dir += "/closed";
  const auto folder = claim_run_folder(request);
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("not a directory"));
}

TEST(WriteFile, ReplacesAndLeavesNothingElse) {
  const TemporaryFolder root;
  for (const Durability durability : {Durability::kDurable, Durability::kRenamed}) {
    ASSERT_TRUE(write_file(root.path() + "/a.json", std::string(100'000, 'x'), durability));
    ASSERT_TRUE(write_file(root.path() + "/a.json", "short", durability));
    EXPECT_EQ(root.text("a.json"), "short");
    EXPECT_THAT(root.files(), ElementsAre("a.json"));
  }
}

TEST(WriteFile, AFailureKeepsTheOldTextAndRemovesTheTemporaryFile) {
  const TemporaryFolder root;
  fs::create_directories(root.path() + "/target/inside");  // rename onto a folder that isn't empty fails
  const Status status = write_file(root.path() + "/target", "text");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("target"));
  EXPECT_TRUE(fs::is_directory(root.path() + "/target/inside"));
  EXPECT_TRUE(root.files().empty());

  const Status absent = write_file(root.path() + "/no/such/file", "text");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kPathNotFound);
}

}  // namespace
}  // namespace mlps::results
