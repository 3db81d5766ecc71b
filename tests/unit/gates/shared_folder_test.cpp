#include "gates/shared_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "temporary_folder.hpp"

namespace mlps::gates {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A mark of a probe in a new folder.
struct Marked {
  Marked() { mark = make_mark(place.path(), warnings, probe).value(); }

  TemporaryFolder place;
  std::vector<std::string> warnings;
  std::optional<ProbeFile> probe;
  SharedMark mark;
};

std::optional<Error> look(const SharedMark& mark, const std::string& folder) {
  std::vector<std::string> warnings;
  return look_for(mark, folder, "alpha", 0, world::Failure(), warnings);
}

void write(const std::string& path, const std::string& content) {
  std::ofstream(path) << content;
}

TEST(SharedFolder, TheSameFolderShowsTheMark) {
  Marked marked;
  EXPECT_FALSE(look(marked.mark, marked.place.path()));
  struct stat status {};
  ASSERT_EQ(::stat(marked.probe->path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U & ~0644U, 0U);
  marked.probe.reset();
  EXPECT_TRUE(std::filesystem::is_empty(marked.place.path()));
  EXPECT_THAT(marked.warnings, IsEmpty());
}

TEST(SharedFolder, AnotherFolderIsE404) {
  Marked marked;
  const TemporaryFolder other;
  const auto error = look(marked.mark, other.path());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kInvalidStructure);
  EXPECT_EQ(error->message, "CAP-02: no such file: " + other.path() + " is not the folder that host alpha sees");
  EXPECT_THAT(error->details, HasSubstr(marked.mark.name));
}

TEST(SharedFolder, ContentDecidesWhereInodesDifferFromHostToHost) {
  Marked marked;
  ++marked.mark.inode;
  std::vector<std::string> warnings;
  EXPECT_FALSE(look_for(marked.mark, marked.place.path(), "alpha", 0, world::Failure(), warnings));
  EXPECT_THAT(warnings, IsEmpty()) << "nobody else can have the random content";
}

TEST(SharedFolder, AnotherContent) {
  Marked marked;
  write(marked.probe->path(), "something else");
  const auto error = look(marked.mark, marked.place.path());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kInvalidStructure);
  EXPECT_THAT(error->message, HasSubstr("another content: "));
}

TEST(SharedFolder, WhatComesLateIsWaitedFor) {
  Marked marked;
  const TemporaryFolder place;
  const std::string late = place.path() + "/mount";
  int pauses = 0;
  const auto mount_at_the_third_pause = [&] {
    if (++pauses == 3) std::filesystem::create_directory_symlink(marked.place.path(), late);
  };
  EXPECT_FALSE(look_for(marked.mark, late, "alpha", 3600'000'000'000, world::Failure(), marked.warnings,
                        mount_at_the_third_pause));
  EXPECT_EQ(pauses, 3);
}

TEST(SharedFolder, AFailureOfTheJobEndsTheWait) {
  Marked marked;
  const TemporaryFolder other;
  world::Failure failure;
  failure.raise({ErrorCode::kInterrupted, "interrupted"});
  EXPECT_TRUE(look_for(marked.mark, other.path(), "alpha", 3600'000'000'000, failure, marked.warnings));
}

TEST(SharedFolder, AFileThatWasThere) {
  const TemporaryFolder place, other;
  write(place.path() + "/file", "data");
  const auto mark = mark_of(place.path(), "file");
  ASSERT_TRUE(mark);
  EXPECT_FALSE(look(*mark, place.path()));
  write(other.path() + "/file", "data of another length");
  EXPECT_THAT(look(*mark, other.path()).value().message, HasSubstr("another file: "));
  write(other.path() + "/file", "data");
  EXPECT_THAT(look(*mark, other.path()).value().message, HasSubstr("another file: ")) << "a copy";
  EXPECT_FALSE(numbers_files_alike("fuse.rclone")) << "another number proves nothing there";
  EXPECT_TRUE(numbers_files_alike("nfs4"));
  EXPECT_FALSE(mark_of(place.path(), "absent"));
}

TEST(SharedFolder, AMarkThatCantBeMadeIsE404WithTheSystemsWords) {
  std::vector<std::string> warnings;
  std::optional<ProbeFile> probe;
  const auto mark = make_mark("/proc/self", warnings, probe);
  ASSERT_FALSE(mark);
  EXPECT_EQ(mark.error().code, ErrorCode::kInvalidStructure);
  EXPECT_THAT(mark.error().message, HasSubstr("CAP-02: create /proc/self/.mlpstorage-shared-fs-probe-"));
}

}  // namespace
}  // namespace mlps::gates
