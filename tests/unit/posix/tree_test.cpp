// The control plane on local files: names, listing, small objects, free space.
#include "storage/posix/tree.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "storage/posix/file_store.hpp"
#include "support.hpp"

namespace mlps::storage::posix {
namespace {

using namespace storage::test;
using ::testing::ElementsAre;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class TreeTest : public ::testing::Test {
 protected:
  std::vector<std::string> names_below(const std::string& prefix) {
    std::vector<std::string> names;
    std::string continuation;
    do {
      const Result<ListPage> page = tree_.list(prefix, continuation);
      EXPECT_TRUE(page) << render(page.error());
      for (const ObjectInfo& object : page->objects) names.push_back(object.name);
      continuation = page->next;
    } while (!continuation.empty());
    return names;
  }

  TempFolder folder_;
  Tree tree_{folder_.path() + "/root"};
};

TEST_F(TreeTest, SmallObjectsArePutReadAndRemoved) {
  ASSERT_TRUE(tree_.put("a/b/probe", bytes_of("hello world")));
  EXPECT_EQ(tree_.head("a/b/probe")->size_bytes, 11);
  const auto all = tree_.get("a/b/probe", 0, 1000);
  ASSERT_TRUE(all);
  EXPECT_TRUE(std::ranges::equal(*all, bytes_of("hello world")));
  EXPECT_TRUE(std::ranges::equal(*tree_.get("a/b/probe", 6, 3), bytes_of("wor")));
  EXPECT_TRUE(tree_.get("a/b/probe", 100, 3)->empty());
  EXPECT_EQ(tree_.get("a/b/probe", 6, UINT64_MAX)->size(), 5);
  EXPECT_TRUE(tree_.remove("a/b/probe"));
  EXPECT_TRUE(tree_.remove("a/b/probe")) << "of an absent object: success";
  EXPECT_TRUE(tree_.remove("never/was"));
  EXPECT_EQ(tree_.head("a/b/probe").error().code, ErrorCode::kStorageNotFound);
  EXPECT_EQ(tree_.get("a/b/probe", 0, 1).error().code, ErrorCode::kStorageNotFound);
}

TEST_F(TreeTest, PutReplacesAnObjectAsAWhole) {
  ASSERT_TRUE(tree_.put("a/state", bytes_of("the first, longer one")));
  // Who opened the old object keeps reading it: its bytes are not touched.
  std::ifstream reader(tree_.root() + "/a/state");
  ASSERT_TRUE(tree_.put("a/state", bytes_of("second")));
  std::string line;
  std::getline(reader, line);
  EXPECT_EQ(line, "the first, longer one");
  EXPECT_TRUE(std::ranges::equal(*tree_.get("a/state", 0, 100), bytes_of("second")));
  EXPECT_THAT(names_below(""), ElementsAre("a/state"));
}

TEST_F(TreeTest, WhatAKilledPutLeavesIsNoObjectAndInNobodysWay) {
  ASSERT_TRUE(tree_.put("a/state", bytes_of("old")));
  std::ofstream(tree_.root() + "/a/state" + std::string(Tree::kPartialSuffix)) << "a longer half-written one";
  EXPECT_THAT(names_below(""), ElementsAre("a/state"));
  ASSERT_TRUE(tree_.put("a/state", bytes_of("new")));
  EXPECT_TRUE(std::ranges::equal(*tree_.get("a/state", 0, 100), bytes_of("new")));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(tree_.root() + "/a"), {}), 2)
      << "that of the killed process stays, which may be one that runs";
}

TEST_F(TreeTest, APutThatFailsLeavesNothing) {
  ASSERT_TRUE(tree_.put("a/b", bytes_of("x")));
  EXPECT_FALSE(tree_.put("a", bytes_of("x"))) << "there is a folder of that name";
  EXPECT_THAT(names_below(""), ElementsAre("a/b"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(tree_.root()), {}), 1);
}

TEST_F(TreeTest, AFolderIsNoObject) {
  ASSERT_TRUE(tree_.put("a/b", bytes_of("x")));
  EXPECT_EQ(tree_.head("a").error().code, ErrorCode::kStorageNotFound);
  EXPECT_EQ(tree_.head("a/b/c").error().code, ErrorCode::kStorageNotFound);
  EXPECT_FALSE(tree_.put("a/b/c", bytes_of("x"))) << "a file is no folder";
}

TEST_F(TreeTest, EveryCallRefusesNamesThatLeaveTheRoot) {
  std::ofstream(folder_.path() + "/secret") << "s";
  const std::string name = "../secret";
  EXPECT_EQ(tree_.head(name).error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(tree_.get(name, 0, 1).error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(tree_.put(name, {}).error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(tree_.remove(name).error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(tree_.list("..", "").error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(tree_.evict(name).error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(tree_.residency(name).error().code, ErrorCode::kConfigInvalid);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() + "/secret"));
}

TEST_F(TreeTest, ListsRecursivelyInByteOrderOfFullNames) {
  for (const char* name : {"s1/b.pt", "s1/a.pt", "s1/a/z", "s1/a.b/y", "s10/x", "s2", "s1/a0"}) {
    ASSERT_TRUE(tree_.put(name, bytes_of(name)));
  }
  EXPECT_THAT(names_below(""), ElementsAre("s1/a.b/y", "s1/a.pt", "s1/a/z", "s1/a0", "s1/b.pt", "s10/x", "s2"));
  EXPECT_THAT(names_below("s1"), ElementsAre("s1/a.b/y", "s1/a.pt", "s1/a/z", "s1/a0", "s1/b.pt"));
  EXPECT_THAT(names_below("s1/"), ::testing::SizeIs(5));
  EXPECT_THAT(names_below("s1/a"), ElementsAre("s1/a/z")) << "files: a folder, not a literal prefix";
  EXPECT_THAT(names_below("s2"), ElementsAre("s2"));
  EXPECT_EQ(tree_.list("s2", "")->objects[0].size_bytes, 2);
}

TEST_F(TreeTest, AMissingFolderIsAnEmptyListAndAnUnreadableOneIsAnError) {
  EXPECT_THAT(names_below(""), ElementsAre());
  EXPECT_THAT(names_below("nothing/here"), ElementsAre());
  ASSERT_TRUE(tree_.put("s/x", {}));
  EXPECT_THAT(names_below("s/x/y"), ElementsAre());
  if (::geteuid() != 0) {
    std::filesystem::permissions(tree_.root() + "/s", std::filesystem::perms::none);
    EXPECT_EQ(tree_.list("s", "").error().code, ErrorCode::kPermissionDenied);
    std::filesystem::permissions(tree_.root() + "/s", std::filesystem::perms::owner_all);
  }
}

TEST_F(TreeTest, SymbolicLinksToFilesCountAndLoopsAreNotEntered) {
  ASSERT_TRUE(tree_.put("s/x", bytes_of("1234")));
  std::filesystem::create_symlink("x", tree_.root() + "/s/link");
  std::filesystem::create_symlink("nowhere", tree_.root() + "/s/broken");
  std::filesystem::create_directory_symlink("..", tree_.root() + "/s/loop");
  EXPECT_THAT(names_below(""), ElementsAre("s/link", "s/x"));
}

TEST_F(TreeTest, PagesAreBoundedAndLoseNothing) {
  std::vector<std::string> expected;
  for (const std::string folder : {"a", "b/deep", "c"}) {
    std::filesystem::create_directories(tree_.root() + "/" + folder);
    for (int i = 0; i < 850; ++i) {
      expected.push_back(fmt::format("{}/f{:04}", folder, i));
      std::ofstream(tree_.root() + "/" + expected.back());
    }
  }
  EXPECT_EQ(names_below(""), expected);
  const Result<ListPage> page = tree_.list("", "");
  EXPECT_EQ(page->objects.size(), Tree::kListPage);
  EXPECT_EQ(page->next, expected[Tree::kListPage - 1]);
  for (int i = 0; i < 150; ++i) std::filesystem::remove(tree_.root() + "/" + expected[static_cast<size_t>(i) + 1700]);
  EXPECT_EQ(names_below("b").size(), 850);
  expected.resize(0);
}

TEST_F(TreeTest, AnExactlyFullPageIsTheLast) {
  std::filesystem::create_directories(tree_.root());
  for (size_t i = 0; i < Tree::kListPage; ++i) std::ofstream(fmt::format("{}/f{:04}", tree_.root(), i));
  const Result<ListPage> page = tree_.list("", "");
  EXPECT_EQ(page->objects.size(), Tree::kListPage);
  EXPECT_EQ(page->next, "");
}

TEST_F(TreeTest, FreeSpaceIsMeasuredAtTheNearestExistingAncestor) {
  const Tree deep(folder_.path() + "/not/yet/there");
  const auto asked = deep.capacity();
  ASSERT_TRUE(asked && asked->has_value());
  const Capacity& capacity = **asked;
  EXPECT_EQ(capacity.measured_at, folder_.path());
  const auto space = std::filesystem::space(folder_.path());
  EXPECT_NEAR(static_cast<double>(capacity.available_bytes), static_cast<double>(space.available), 4e9);
  const auto without_blocks = Tree("/proc").capacity();
  ASSERT_TRUE(without_blocks);
  EXPECT_FALSE(without_blocks->has_value()) << "it has none, which is not the same as a full one";
  EXPECT_EQ(Tree("relative/path").capacity().error().code, ErrorCode::kPathNotFound);
}

TEST_F(TreeTest, CapacityOfASmallMountIsItsOwn) {
  const auto mount = PrivateMount::make("tmpfs", "size=4m");
  if (!mount) GTEST_SKIP() << "may not mount";
  const auto store = open_file_store(Location(Scheme::kFile, "", mount->path() + "/sub"), FadviseMode::kNone).value();
  const auto capacity = store->capacity();
  ASSERT_TRUE(capacity && capacity->has_value());
  EXPECT_EQ((*capacity)->available_bytes, 4 << 20);
  EXPECT_EQ((*capacity)->measured_at, mount->path());
}

TEST_F(TreeTest, WhatIsNotThereIsRemovedAlreadyAlsoWhereNothingMayBeRemoved) {
  const auto mount = PrivateMount::make("tmpfs", "size=4m,ro");
  if (!mount) GTEST_SKIP() << "may not mount";
  EXPECT_TRUE(Tree(mount->path()).remove("absent"));
}

TEST_F(TreeTest, AReadOnlyOrForeignFolderIsAPermissionError) {
  const TempFolder mine("/tmp");
  ::chmod(mine.path().c_str(), 0555);
  const Status denied = [&] {
    const OtherUser other;
    return Tree(mine.path()).put("x", {});
  }();
  EXPECT_TRUE(has_code(denied, ErrorCode::kPermissionDenied)) << text_of(denied);
}

}  // namespace
}  // namespace mlps::storage::posix
