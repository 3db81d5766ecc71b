// Eviction and residency, on the file system of the build folder or, where that is memory, of /var/tmp.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "base/units.hpp"
#include "storage/posix/file_store.hpp"
#include "support.hpp"

namespace mlps::storage {
namespace {

using namespace test;

constexpr uint64_t kSize = 8 * kMiB + 100;
const ObjectSpec kCachedSpec{"step/x.pt", kSize, kMiB, {}};

class PageCacheTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open(FadviseMode mode) const {
    return std::move(open_file_store(Location(Scheme::kFile, "", folder_.path()), mode).value());
  }

  static bool is_in_memory(const std::string& folder) {
    struct statfs facts {};
    ::statfs(folder.c_str(), &facts);
    return facts.f_type == 0x01021994;  // tmpfs: the page cache is the storage
  }
  bool keeps_pages_in_memory() const { return is_in_memory(folder_.path()); }

  static Residency residency(Store& store) { return store.residency(kCachedSpec.name).value().value(); }

  /// Returns whether the whole file is cached right after `access`. A kernel may take back pages within seconds when
  /// memory or the disk is busy, so that some attempts are needed.
  static bool stays_cached(Store& store, const std::function<bool()>& access) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      if (!access()) return false;
      if (residency(store).cached_bytes == kSize) return true;
    }
    return false;
  }

  TempFolder folder_{is_in_memory(MLPS_TEST_SCRATCH) ? "/var/tmp" : MLPS_TEST_SCRATCH};
};

TEST_F(PageCacheTest, WithoutAdviceAWrittenFileStaysCachedUntilEvicted) {
  if (keeps_pages_in_memory()) GTEST_SKIP() << "the build folder and /var/tmp are on tmpfs";
  const auto store = open(FadviseMode::kNone);
  EXPECT_TRUE(stays_cached(*store, [&] { return write_object(*store, kCachedSpec).has_value(); }));
  EXPECT_EQ(residency(*store).total_bytes, kSize);
  ASSERT_TRUE(store->evict(kCachedSpec.name));
  EXPECT_EQ(residency(*store).cached_bytes, 0);
  EXPECT_EQ(residency(*store).cached_bytes, 0) << "asking must not load pages";
  EXPECT_TRUE(stays_cached(*store, [&] { return read_object(*store, kCachedSpec).has_value(); }));
}

TEST_F(PageCacheTest, EvictionWritesBackWhatIsDirty) {
  if (keeps_pages_in_memory()) GTEST_SKIP() << "the build folder and /var/tmp are on tmpfs";
  const auto store = open(FadviseMode::kNone);
  std::filesystem::create_directories(folder_.path() + "/step");
  std::ofstream(folder_.path() + "/step/x.pt") << std::string(kSize, 'x');  // no fsync: dirty
  ASSERT_TRUE(store->evict(kCachedSpec.name));
  EXPECT_EQ(residency(*store).cached_bytes, 0);
}

TEST_F(PageCacheTest, DontNeedLeavesNothingCachedAfterWritingAndReading) {
  if (keeps_pages_in_memory()) GTEST_SKIP() << "the build folder and /var/tmp are on tmpfs";
  const auto store = open(FadviseMode::kDontNeed);
  ASSERT_TRUE(write_object(*store, kCachedSpec));
  EXPECT_EQ(residency(*store).cached_bytes, 0);
  ASSERT_TRUE(read_object(*store, kCachedSpec));
  EXPECT_EQ(residency(*store).cached_bytes, 0);
}

// A filter of a container may refuse what only looks: then nothing is known, and nothing fails.
TEST_F(PageCacheTest, WhatTheKernelRefusesIsUnknown) {
  const auto store = open(FadviseMode::kNone);
  ASSERT_TRUE(write_object(*store, kCachedSpec));
  in_a_thread([&] {
    if (!refuse_calls(__NR_mincore, EPERM)) GTEST_SKIP() << "no filters here";
    const auto residency = store->residency(kCachedSpec.name);
    ASSERT_TRUE(residency);
    EXPECT_FALSE(*residency);
    ASSERT_TRUE(refuse_calls(__NR_fadvise64, ENOSYS));
    EXPECT_TRUE(store->evict(kCachedSpec.name));
  });
}

TEST_F(PageCacheTest, AbsentFilesAreNamed) {
  const auto store = open(FadviseMode::kNone);
  EXPECT_EQ(store->evict("none.pt").error().code, ErrorCode::kStorageNotFound);
  EXPECT_EQ(store->residency("none.pt").error().code, ErrorCode::kStorageNotFound);
}

TEST_F(PageCacheTest, AnEmptyFileHasNoPages) {
  const auto store = open(FadviseMode::kNone);
  ASSERT_TRUE(write_object(*store, {kCachedSpec.name, 0, kMiB, {}}));
  EXPECT_EQ(residency(*store).total_bytes, 0);
  EXPECT_EQ(residency(*store).cached_bytes, 0);
  EXPECT_TRUE(store->evict(kCachedSpec.name));
}

TEST_F(PageCacheTest, AHugeSparseFileIsAskedPieceByPiece) {
  const auto store = open(FadviseMode::kNone);
  ASSERT_TRUE(write_object(*store, {kCachedSpec.name, 4096, kMiB, {}}));
  std::filesystem::resize_file(folder_.path() + "/" + kCachedSpec.name, 5 * kGiB + 1);
  EXPECT_EQ(residency(*store).total_bytes, 5 * kGiB + 1);
  EXPECT_EQ(residency(*store).cached_bytes, 4096);
}

TEST_F(PageCacheTest, SaysNothingWhereTheKernelWouldNotTellTheTruth) {
  // Of a file that is another user's, which every system has.
  const auto store = open_file_store(Location(Scheme::kFile, "", "/etc"), FadviseMode::kNone).value();
  const OtherUser other;
  const auto answer = store->residency("passwd");
  ASSERT_TRUE(answer) << render(answer.error());
  EXPECT_FALSE(answer->has_value());
}

TEST_F(PageCacheTest, TellsOfAFileOfItsOwn) {
  const auto store = open(FadviseMode::kNone);
  ASSERT_TRUE(write_object(*store, {"x.pt", 100, kMiB, {}}));
  EXPECT_TRUE(store->residency("x.pt")->has_value());
}

}  // namespace
}  // namespace mlps::storage
