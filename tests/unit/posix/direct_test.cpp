// What O_DIRECT adds: the probe, refusals, full disks, short counts, and several operations in flight.
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.hpp"
#include "storage/posix/file_store.hpp"
#include "storage/posix/probe.hpp"
#include "storage/posix/transfer.hpp"
#include "support.hpp"

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
  auto write = posix::Transfer::of_write(10'000, 4096);
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
