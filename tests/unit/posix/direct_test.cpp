// What O_DIRECT adds: the probe, refusals, full disks, short counts, and several operations in flight.
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/units.hpp"
#include "storage/posix/file_store.hpp"
#include "storage/posix/probe.hpp"
#include "storage/posix/transfer.hpp"
#include "support.hpp"

namespace {
size_t told_alignment = 0;  // 0: what the kernel says
}

/// In place of the C library's: a file system of other blocks than this machine's.
extern "C" int statx(int folder, const char* path, int flags, unsigned int mask, struct statx* facts) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_statx, folder, path, flags, mask, facts));
  if (result != 0 || told_alignment == 0 || (mask & STATX_DIOALIGN) == 0) return result;
  facts->stx_mask |= STATX_DIOALIGN;
  facts->stx_dio_offset_align = static_cast<uint32_t>(told_alignment);
  facts->stx_dio_mem_align = 512;
  return 0;
}

namespace mlps::storage {
namespace {

using namespace test;
using ::testing::HasSubstr;

Location direct_at(const std::string& path) {
  return Location(Scheme::kDirect, "", path);
}

TEST(DirectProbe, NeedsNoRootAndLeavesNothing) {
  const TempFolder folder;
  const auto store = open_direct_store(direct_at(folder.path() + "/a/b"));
  ASSERT_TRUE(store) << render(store.error());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  const StoreTraits traits = (*store)->traits();
  EXPECT_EQ(traits.buffer_alignment % 4096, 0);
  EXPECT_EQ(traits.backend, "direct");
}

TEST(DirectProbe, AFileSystemWithoutItIsNamedWithTheWayOut) {
  const auto mount = PrivateMount::make("ramfs", "");
  if (!mount) GTEST_SKIP() << "may not mount";
  const auto store = open_direct_store(direct_at(mount->path() + "/checkpoints"));
  ASSERT_FALSE(store) << "this kernel's ramfs takes O_DIRECT";
  EXPECT_EQ(store.error().code, ErrorCode::kConfigIncompatible);
  EXPECT_THAT(store.error().message, HasSubstr(mount->path() + " (ramfs) refuses O_DIRECT"));
  EXPECT_THAT(store.error().suggestion, HasSubstr("--o-direct"));
  EXPECT_TRUE(std::filesystem::is_empty(mount->path()));
}

TEST(DirectProbe, AFolderThatMayNotBeWrittenToIsLeftToTheFirstOpen) {
  const TempFolder mine("/tmp");
  ::chmod(mine.path().c_str(), 0555);
  const auto limits = [&] {
    const OtherUser other;
    return posix::probe_direct(mine.path());
  }();
  ASSERT_TRUE(limits) << render(limits.error());
  EXPECT_THAT(limits->origin, HasSubstr("assumed"));
}

TEST(DirectProbe, AFullFileSystemDoesNotRefuse) {
  const auto mount = PrivateMount::make("tmpfs", "size=64k");
  if (!mount) GTEST_SKIP() << "may not mount";
  const auto file = open_file_store(Location(Scheme::kFile, "", mount->path()), FadviseMode::kNone).value();
  ASSERT_TRUE(write_object(*file, {"x", 64 * kKiB, 64 * kKiB, {}}));
  EXPECT_TRUE(open_direct_store(direct_at(mount->path())));
}

TEST(DirectProbe, KnowsTheFileSystemByName) {
  EXPECT_EQ(posix::file_system_name("/proc"), "proc");
  EXPECT_EQ(posix::file_system_name("/no/such/path"), "unknown file system");
}

TEST(DirectProbe, LargeBlocksAreTheUnitOfBuffersPartsAndLengths) {
  const TempFolder folder;
  for (const size_t block : {16 * kKiB, 64 * kKiB}) {
    told_alignment = block;
    const auto store = open_direct_store(direct_at(folder.path()));
    const auto larger = [&] {
      told_alignment = 2 * AlignedBuffer::kAlignment;
      return open_direct_store(direct_at(folder.path()));
    }();
    told_alignment = 0;
    ASSERT_TRUE(store) << render(store.error());
    EXPECT_EQ((*store)->traits().buffer_alignment, block);
    const ObjectSpec spec{"x", 5 * 100 * kKiB + 13, 100 * kKiB, {}};
    const auto object = (*store)->object(spec);
    EXPECT_EQ(object->part_bytes(), posix::round_up(100 * kKiB, block));
    auto session = (*store)->open_session(1).value();
    Operation begin;
    begin.kind = OpKind::kBeginWrite;
    begin.object = object.get();
    ASSERT_TRUE(run(*session, begin));
    EXPECT_EQ(std::filesystem::file_size(folder.path() + "/x"), posix::round_up(spec.size_bytes, block) + block);
    ASSERT_TRUE(write_object(**store, spec, 4, 4));
    EXPECT_TRUE(read_object(**store, spec, 4, 4));
    ASSERT_FALSE(larger);
    EXPECT_THAT(larger.error().message, HasSubstr("larger blocks than"));
  }
}

TEST(DirectProbe, PartsAreOfTheSizeThatTheFileSystemPrefers) {
  const TempFolder folder;
  EXPECT_EQ(open_direct_store(direct_at(folder.path())).value()->traits().part_bytes, kMiB);
  const auto mount = PrivateMount::make("tmpfs", "size=64m,huge=always");
  if (!mount) GTEST_SKIP() << "may not mount";
  const auto limits = posix::probe_direct(mount->path());
  ASSERT_TRUE(limits) << render(limits.error());
  struct stat status {};  // of a file: folders have their own
  ASSERT_TRUE(write_object(*open_direct_store(direct_at(mount->path())).value(), {"x", 8192, 4096, {}}));
  ASSERT_EQ(::stat((mount->path() + "/x").c_str(), &status), 0);
  EXPECT_EQ(limits->preferred_bytes, static_cast<uint64_t>(status.st_blksize));
  EXPECT_EQ(open_direct_store(direct_at(mount->path())).value()->traits().part_bytes,
            std::max<uint64_t>(kMiB, static_cast<uint64_t>(status.st_blksize)));
}

TEST(DirectStore, ADeviceInPlaceOfAFileIsNamedAsOne) {
  const TempFolder folder;
  const auto store = open_direct_store(direct_at(folder.path())).value();
  std::filesystem::create_symlink("/dev/null", folder.path() + "/x");
  const ObjectSpec spec{"x", 8192, 4096, {}};
  for (const Status& status : {write_object(*store, spec), read_object(*store, spec)}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidStructure);
    EXPECT_THAT(status.error().message, HasSubstr("is a device, not a file"));
    EXPECT_EQ(status.error().suggestion.find("O_DIRECT"), std::string::npos);
  }
}

TEST(DirectStore, EveryBufferSuitsTheLargestAlignment) {
  for (const size_t bytes : {size_t{1}, size_t{4096}, size_t{65536}, size_t{65537}, size_t{3 * kMiB + 4096}}) {
    const auto buffer = AlignedBuffer::allocate(bytes);
    ASSERT_TRUE(buffer);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % AlignedBuffer::kAlignment, 0);
    std::fill_n(buffer->data(), bytes, std::byte{1});
  }
}

TEST(DirectStore, PartsGrowToWholeBlocks) {
  const TempFolder folder;
  const auto store = open_direct_store(direct_at(folder.path())).value();
  EXPECT_EQ(store->object({"x", 100'000, 5000, {}})->part_bytes(), 8192);
  EXPECT_EQ(store->object({"x", 100'000, 0, {}})->part_count(), 1);
  EXPECT_EQ(store->object({"x", 0, 4096, {}})->part_count(), 1);
}

// A file that is cut inside a block has the block read back by the file system.
TEST(DirectStore, NoFileIsCutToItsLength) {
  const TempFolder folder;
  in_a_thread([&] {
    for (const std::optional<int> refused : {std::optional<int>(), std::optional(ENOSYS)}) {  // io_uring, pwrite
      const auto store = open_direct_store(direct_at(folder.path()), Durability::kOnFlush, refused).value();
      for (const uint64_t size : {0UL, 1UL, 4095UL, 4096UL, 4097UL, 300'000UL}) {
        const ObjectSpec spec{"x", size, kMiB, {}};
        ASSERT_TRUE(write_object(*store, spec, 1, size));
        EXPECT_TRUE(read_object(*store, spec, 1, size));
      }
      ASSERT_TRUE(write_object(*store, {"parts", 9000, 4096, {}}));
      EXPECT_TRUE(read_object(*store, {"parts", 9000, 4096, {}}));
    }
    if (!refuse_calls(__NR_ftruncate, EPERM)) GTEST_SKIP() << "no filters here";
    const auto store = open_direct_store(direct_at(folder.path()), Durability::kOnFlush).value();
    ASSERT_TRUE(write_object(*store, {"y", 5000, kMiB, {}}));
    EXPECT_TRUE(read_object(*store, {"y", 5000, kMiB, {}}));
    EXPECT_FALSE(write_object(*store, {"z", 9000, 4096, {}})) << "parts side by side need the length";
  });
}

TEST(DirectStore, ManyPartsInFlightAtManyDepths) {
  const TempFolder folder;
  const auto store = open_direct_store(direct_at(folder.path())).value();
  for (const unsigned depth : {1U, 2U, 16U, 64U}) {
    const ObjectSpec spec{"x", 70 * 64 * kKiB + 513, 64 * kKiB, {}};
    const Status written = write_object(*store, spec, depth, depth);
    ASSERT_TRUE(written) << text_of(written);
    EXPECT_TRUE(read_object(*store, spec, depth, depth));
  }
}

TEST(DirectStore, MoreThanDepthInFlightIsTheCallersError) {
  const TempFolder folder;
  const auto store = open_direct_store(direct_at(folder.path())).value();
  if (store->traits().blocking) GTEST_SKIP() << "no io_uring here";
  const auto session = store->open_session(1).value();
  const auto object = store->object({"x", 2 * kMiB, kMiB, {}});
  ASSERT_TRUE(run(*session, OpKind::kBeginWrite, *object));
  const PartBuffer one(kMiB), two(kMiB);
  Operation first{.kind = OpKind::kWritePart, .object = object.get(), .part = 0, .buffer = one.part()};
  Operation second{.kind = OpKind::kWritePart, .object = object.get(), .part = 1, .buffer = two.part()};
  session->submit(first);
  session->submit(second);
  std::vector<Operation*> done;
  while (done.size() < 2) session->poll(std::chrono::seconds(1), done);
  EXPECT_FALSE(first.error);
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->code, ErrorCode::kInternal);
  EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
}

TEST(DirectStore, UnalignedBuffersAreRefusedBeforeTheKernelSeesThem) {
  const TempFolder folder;
  const auto store = open_direct_store(direct_at(folder.path())).value();
  const auto session = store->open_session(1).value();
  const auto object = store->object({"x", 4096, 4096, {}});
  ASSERT_TRUE(run(*session, OpKind::kBeginWrite, *object));
  const PartBuffer buffer(8192);
  Operation operation{
      .kind = OpKind::kWritePart, .object = object.get(), .part = 0, .buffer = buffer.part().subspan(512, 4096)};
  EXPECT_TRUE(has_code(run(*session, operation), ErrorCode::kInternal));
  EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
}

class FullDiskTest : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, FullDiskTest, ::testing::Values("file", "direct", "blocking"),
                         [](const auto& test) { return test.param; });

TEST_P(FullDiskTest, IsE403WithThePathAndAbortFreesTheSpace) {
  const auto mount = PrivateMount::make("tmpfs", "size=4m");
  if (!mount) GTEST_SKIP() << "may not mount";
  const Location root(Scheme::kFile, "", mount->path());
  auto opened = GetParam() == "file"     ? open_file_store(root, FadviseMode::kDontNeed)
                : GetParam() == "direct" ? open_direct_store(root)
                                         : open_direct_store(root, Durability::kEachObject, EPERM);
  ASSERT_TRUE(opened) << render(opened.error());
  Store& store = **opened;
  const auto session = store.open_session(1).value();
  const auto object = store.object({"s/x.pt", 8 * kMiB, kMiB, {}});
  ASSERT_TRUE(run(*session, OpKind::kBeginWrite, *object));
  Status status;
  for (uint32_t part = 0; part < 8 && status; ++part) status = write_part(*session, *object, part);
  EXPECT_TRUE(has_code(status, ErrorCode::kDiskFull)) << text_of(status);
  EXPECT_THAT(text_of(status), ::testing::AllOf(HasSubstr("s/x.pt at offset"), HasSubstr("No space left")));
  EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
  EXPECT_FALSE(std::filesystem::exists(mount->path() + "/s/x.pt"));
  EXPECT_TRUE(write_object(store, {"s/y.pt", 3 * kMiB, kMiB, {}}));
}

TEST(Transfer, ContinuesFromTheLastAlignedPosition) {
  auto write = posix::Transfer::of_write(12'288, 4096);
  EXPECT_EQ(write.count(), 12'288);
  ASSERT_TRUE(write.advance(5000));
  EXPECT_FALSE(write.is_done());
  EXPECT_EQ(write.begin(), 4096);
  EXPECT_EQ(write.count(), 8192);
  ASSERT_TRUE(write.advance(8192));
  EXPECT_TRUE(write.is_done());
}

TEST(Transfer, AReadIsDoneWhenThePartIsThere) {
  auto read = posix::Transfer::of_read(10'000, 4096);
  EXPECT_EQ(read.count(), 12'288);
  ASSERT_TRUE(read.advance(4096 + 100));
  EXPECT_EQ(read.begin(), 4096);
  ASSERT_TRUE(read.advance(10'000 - 4096)) << "short at the end of the file, and right";
  EXPECT_TRUE(read.is_done());
}

TEST(Transfer, StopsWhereNothingNewComes) {
  auto read = posix::Transfer::of_read(10'000, 4096);
  ASSERT_TRUE(read.advance(9000));
  EXPECT_EQ(read.begin(), 8192);
  EXPECT_FALSE(read.advance(9000 - 8192)) << "the same end of file again";
  EXPECT_EQ(read.reached(), 9000);
  auto write = posix::Transfer::of_write(10, 1);
  EXPECT_FALSE(write.advance(0));
}

TEST(Transfer, AsksForNoMoreThanTheKernelTakes) {
  auto read = posix::Transfer::of_read(5 * kGiB, 4096);
  EXPECT_EQ(read.count(), kGiB);
  ASSERT_TRUE(read.advance(kGiB));
  EXPECT_EQ(read.begin(), kGiB);
}

}  // namespace
}  // namespace mlps::storage
