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

class RankFolder : public ::testing::Test {
 protected:
  void put(const std::string& name, size_t bytes) const {
    const std::filesystem::path path = folder_.path() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << std::string(bytes, 'x');
  }
  bool has(const std::string& name) const { return std::filesystem::exists(folder_.path() + "/" + name); }

  test::ScratchFolder folder_;
  std::unique_ptr<storage::Store> store_ = folder_.open();
  std::unique_ptr<storage::Session> session_ = std::move(*store_->open_session(1));
};

TEST_F(RankFolder, RefusesFilesThatNoRunOfOursMade) {
  put("rank_0/user_0001_req_000001.npy", 5000);
  put("rank_0/data.bin", 3);
  const auto ready = prepare_rank_folder(*session_, 0, ".npy");
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, ErrorCode::kInvalidStructure);
  EXPECT_THAT(ready.error().message, HasSubstr("rank_0/ has 2 files of 4.886 KiB"));
  EXPECT_TRUE(has("rank_0/user_0001_req_000001.npy"));
}

TEST_F(RankFolder, RemovesWhatAKilledRunLeftAndCountsIt) {
  ASSERT_TRUE(prepare_rank_folder(*session_, 0, ".npy"));
  put("rank_0/conv_user_0001_0_turn_1.npy", 100);
  put("rank_0/conv_user_0001_0_turn_2.npy", 100);
  put("rank_0/notes.txt", 10);
  put("rank_1/conv_user_0001_0_turn_2.npy", 100);
  const auto left = prepare_rank_folder(*session_, 0, ".npy");
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_EQ(left->entries, 2u);
  EXPECT_EQ(left->bytes, 200u);
  EXPECT_FALSE(has("rank_0/conv_user_0001_0_turn_1.npy"));
  EXPECT_TRUE(has("rank_0/notes.txt")) << "it isn't ours";
  EXPECT_TRUE(has("rank_1/conv_user_0001_0_turn_2.npy")) << "another rank's";
}

TEST_F(RankFolder, NothingOfOursStaysAtTheEnd) {
  ASSERT_TRUE(prepare_rank_folder(*session_, 3, ".npy"));
  put("rank_3/user_0001_req_000001_again_2.npy", 100);
  ASSERT_TRUE(clear_rank_folder(*session_, 3, ".npy"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() + "/rank_3"));
}

}  // namespace
}  // namespace mlps::kvcache
