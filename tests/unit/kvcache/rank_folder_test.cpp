#include "benchmarks/kvcache/rank_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "benchmarks/kvcache/entry_io.hpp"
#include "scratch_folder.hpp"

namespace mlps::kvcache {
namespace {

using ::testing::HasSubstr;

TEST(EntryNames, AreKnownAndNothingElseIs) {
  for (const EntryName& name :
       {EntryName{{3, 7, 2}, 0}, EntryName{{3, 7, 0}, 0}, EntryName{{99'999, 7, 50}, 4},
        EntryName{{1, 3, 0, EntryKind::kChunk}, 0}, EntryName{{1, 0, 0, EntryKind::kContext}, 2},
        EntryName{{0, 12, 0, EntryKind::kPrepopulated}, 0}, EntryName{{0, 12, 0, EntryKind::kPreconditioned}, 0}}) {
    EXPECT_TRUE(is_entry_name(name.text() + ".npy", ".npy")) << name.text();
    EXPECT_TRUE(is_entry_name(name.text() + ".kv", ".kv")) << name.text();
    EXPECT_FALSE(is_entry_name(name.text(), ".npy"));
  }
  EXPECT_TRUE(is_entry_name("block_00ff_17.kv", ".kv"));
  EXPECT_TRUE(is_entry_name("slab_0003.kv", ".kv"));
  EXPECT_FALSE(is_entry_name("slab_.kv", ".kv"));
  EXPECT_FALSE(is_entry_name("block_00ff.kv", ".kv"));
  EXPECT_FALSE(is_entry_name("block_00fg_1.kv", ".kv"));
  for (const char* foreign :
       {"model.npy", "user_.npy", "user_1.npy", "user_1_req_.npy", "user_1_req_1.npy.bak", "conv_user_1_2_turn_.npy",
        "conv_user_1_2_turn_3_again_.npy", "user_1_req_1_again_2x.npy", "../user_1_req_1.npy", "rag_doc_.npy",
        "rag_doc_1_chunk_.npy", "prepop_.npy", "precond_1x.npy", ""}) {
    EXPECT_FALSE(is_entry_name(foreign, ".npy")) << foreign;
  }
}

class RankFolders : public ::testing::TestWithParam<bool> {
 protected:
  void put(const std::string& name, size_t bytes) const {
    const std::filesystem::path path = folder_.path() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << std::string(bytes, 'x');
  }
  bool has(const std::string& name) const { return std::filesystem::exists(folder_.path() + "/" + name); }
  /// By the files of the folder, or as objects of a store.
  RankFolder of_rank(uint32_t rank) { return {*session_, GetParam() ? folder_.path() : std::string(), rank, ".npy"}; }
  static bool never() { return false; }

  test::ScratchFolder folder_;
  std::unique_ptr<storage::Store> store_ = folder_.open();
  std::unique_ptr<storage::Session> session_ = std::move(*store_->open_session(1));
};
INSTANTIATE_TEST_SUITE_P(FilesAndObjects, RankFolders, ::testing::Bool());

TEST_P(RankFolders, RefusesFilesThatNoRunOfOursMade) {
  put("rank_0/user_0001_req_000001.npy", 5000);
  put("rank_0/data.bin", 3);
  const auto ready = of_rank(0).prepare(never);
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, ErrorCode::kInvalidStructure);
  EXPECT_THAT(ready.error().message, HasSubstr("rank_0/ has 2 files of 4.886 KiB"));
  EXPECT_TRUE(has("rank_0/user_0001_req_000001.npy"));
}

TEST_P(RankFolders, RemovesWhatAKilledRunLeftAndCountsIt) {
  ASSERT_TRUE(of_rank(0).prepare(never));
  put("rank_0/conv_user_0001_0_turn_1.npy", 100);
  put("rank_0/run_2/conv_user_0001_0_turn_2.npy", 100);
  put("rank_0/run_x/conv_user_0001_0_turn_2.npy", 100);
  put("rank_0/notes.txt", 10);
  put("rank_1/conv_user_0001_0_turn_2.npy", 100);
  RankFolder folder = of_rank(0);
  const auto left = folder.prepare(never);
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_EQ(left->entries, 2u);
  EXPECT_EQ(left->bytes, 200u);
  EXPECT_EQ(folder.own(), "rank_0/");
  EXPECT_FALSE(has("rank_0/conv_user_0001_0_turn_1.npy"));
  for (const char* foreign :
       {"rank_0/notes.txt", "rank_0/run_x/conv_user_0001_0_turn_2.npy", "rank_1/conv_user_0001_0_turn_2.npy"}) {
    EXPECT_TRUE(has(foreign)) << foreign << " isn't ours";
  }
}

TEST_P(RankFolders, NothingOfOursStaysAtTheEnd) {
  RankFolder folder = of_rank(3);
  ASSERT_TRUE(folder.prepare(never));
  put("rank_3/user_0001_req_000001_again_2.npy", 100);
  ASSERT_TRUE(folder.clear(never));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() + "/rank_3"));
}

// However many entries there are, a run begins after as many removals as it has patience for.
TEST_P(RankFolders, WhatTakesTooLongToRemoveStaysBesideTheRunAndGoesAfterIt) {
  ASSERT_TRUE(of_rank(0).prepare(never));
  for (int i = 0; i < 3000; ++i) put("rank_0/user_0001_req_" + std::to_string(i) + ".npy", 10);
  put("rank_0/run_1/user_0001_req_1.npy", 10);
  int asked = 0;
  RankFolder folder = of_rank(0);
  const auto left = folder.prepare([&] { return ++asked > 100; });
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_EQ(left->entries, 100u);
  EXPECT_TRUE(folder.is_crowded());
  EXPECT_EQ(folder.own().substr(0, 11), "rank_0/run_");
  put(folder.own() + "user_0001_req_1.npy", 10);
  ASSERT_TRUE(folder.remove_own());
  EXPECT_FALSE(has(folder.own() + "user_0001_req_1.npy"));

  const auto some = folder.clear([&] { return ++asked > 200; });
  ASSERT_TRUE(some);
  EXPECT_GT(some->entries, 0u);
  EXPECT_TRUE(has("rank_0/" + std::string(kMarker))) << "the next run would not know them as ours";
  const auto rest = folder.clear(never);
  ASSERT_TRUE(rest);
  EXPECT_EQ(left->entries + some->entries + rest->entries, 3001u);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() + "/rank_0") || !GetParam());
  EXPECT_FALSE(has("rank_0/" + std::string(kMarker)));
}

}  // namespace
}  // namespace mlps::kvcache
