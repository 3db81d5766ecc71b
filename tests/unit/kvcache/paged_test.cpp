#include "benchmarks/kvcache/paged.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "benchmarks/kvcache/metrics.hpp"
#include "scratch_folder.hpp"
#include "virtual_io.hpp"

namespace mlps::kvcache {
namespace {

using ::testing::ElementsAre;
using Changes = std::vector<BlockCache::Change>;

TEST(BlockCache, HitsAreTheLeadingRun) {
  BlockCache cache({});
  Changes changes;
  cache.use({1, 2, 3}, changes);
  EXPECT_EQ(cache.leading_run({1, 2, 4, 3}), 2u);
  EXPECT_EQ(cache.leading_run({4, 1}), 0u);
}

TEST(BlockCache, LruAndFifoDifferInWhoLeaves) {
  for (const auto order : {BlockCache::Order::kLru, BlockCache::Order::kFifo}) {
    BlockCache cache({2, order, false});
    Changes changes;
    cache.use({1, 2}, changes);
    cache.use({1}, changes);
    cache.use({3}, changes);
    EXPECT_EQ(cache.contains(1), order == BlockCache::Order::kLru);
    EXPECT_EQ(cache.contains(2), order == BlockCache::Order::kFifo);
    ASSERT_EQ(changes.size(), 4u);
    EXPECT_FALSE(changes.back().stored);
  }
}

TEST(BlockCache, OnSecondUseTheFirstPassStoresNothing) {
  BlockCache cache({0, BlockCache::Order::kLru, true});
  Changes changes;
  cache.use({1, 2, 3}, changes);
  EXPECT_TRUE(changes.empty());
  cache.use({1, 2}, changes);
  EXPECT_EQ(changes.size(), 2u);
  EXPECT_EQ(cache.leading_run({1, 2, 3}), 2u);
}

TEST(PromptCache, ServesTheSamePromptAlone) {
  PromptCache cache(1000);
  cache.use(1, 400);
  cache.use(2, 600);
  cache.use(1, 400);
  cache.use(3, 500);  // takes the room of 2
  cache.use(2, 600);  // absent, and takes that of 1 and 3
  cache.use(3, 500);
  EXPECT_EQ(cache.counts().hits, 1u);
  EXPECT_EQ(cache.counts().hit_tokens, 400u);
  EXPECT_EQ(cache.counts().stored_tokens, 2600u);
  EXPECT_EQ(cache.counts().evicted, 4u);
}

TEST(Blocks, OfTheTracesOwnSizeAreTheTracesOwn) {
  EXPECT_THAT(regrouped({5, 6, 7}, 512, 512, 1025, true), ElementsAre(5, 6, 7));
  EXPECT_THAT(regrouped({5, 6, 7}, 512, 512, 1025, false), ElementsAre(5, 6));
}

TEST(Blocks, AreSplitIntoPartsThatSharedPrefixesShare) {
  const auto one = regrouped({5, 6}, 512, 128, 1024, false), other = regrouped({5, 9}, 512, 128, 1024, false);
  ASSERT_EQ(one.size(), 8u);
  EXPECT_TRUE(std::equal(one.begin(), one.begin() + 4, other.begin()));
  for (size_t i = 4; i < 8; ++i) EXPECT_NE(one[i], other[i]);
  EXPECT_EQ(std::set<uint64_t>(one.begin(), one.end()).size(), 8u);
}

TEST(Blocks, AreJoinedOnlyWhereAllPartsAreThere) {
  const auto one = regrouped({1, 2, 3, 4}, 16, 32, 64, false);
  ASSERT_EQ(one.size(), 2u);
  EXPECT_EQ(regrouped({1, 2, 3, 4}, 16, 32, 63, false).size(), 1u);
  EXPECT_EQ(regrouped({1, 2, 3, 4}, 16, 32, 63, true).size(), 2u);
  EXPECT_EQ(one[0], regrouped({1, 2, 9}, 16, 32, 48, false)[0]);
}

TEST(Blocks, OfASessionGrowWithIt) {
  const auto first = session_blocks(7, 16, 40, false), second = session_blocks(7, 16, 80, false);
  ASSERT_EQ(first.size(), 2u);
  ASSERT_EQ(second.size(), 5u);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin()));
  EXPECT_NE(session_blocks(8, 16, 40, false)[0], first[0]);
  EXPECT_EQ(session_blocks(7, 16, 40, true).size(), 3u);
}

class Paged : public ::testing::Test {
 protected:
  void trace(const std::string& text) const { std::ofstream(settings_.trace) << text; }
  RankTrial replay(test::VirtualIo& io, double seconds = 1000) const {
    auto reader = TraceReader::open(settings_.trace);
    PagedEngine engine(settings_, *find_model("tiny-1b"), 1, 1000, std::move(*reader), io);
    io.run(engine, seconds);
    EXPECT_EQ(io.problems, "");
    EXPECT_TRUE(engine.is_done());
    return engine.finish();
  }

  test::ScratchFolder folder_;
  PagedSettings settings_ = [this] {
    PagedSettings settings;
    settings.trace = folder_.path() + "/trace.jsonl";
    settings.block_tokens = 512;
    settings.partial_blocks = true;
    return settings;
  }();
};

std::string row(int64_t ms, uint64_t tokens, const std::string& ids) {
  return R"({"timestamp": )" + std::to_string(ms) + R"(, "input_length": )" + std::to_string(tokens) +
         R"(, "output_length": 10, "hash_ids": [)" + ids + "]}\n";
}

TEST_F(Paged, LoadsWhatIsThereComputesTheRestAndStoresIt) {
  trace(row(0, 1024, "1, 2") + row(5000, 1536, "1, 2, 3"));
  test::VirtualIo io;
  io.fixed_ns = 100'000'000;
  const RankTrial trial = replay(io);
  EXPECT_EQ(trial.replay.block_references, 5u);
  EXPECT_EQ(trial.replay.block_hits, 2u);
  EXPECT_EQ(trial.reads, 2u);
  EXPECT_EQ(trial.writes, 3u);
  ASSERT_EQ(trial.served.size(), 2u);
  EXPECT_NEAR(trial.served[0].first_token_s, 0.1024, 1e-6);        // computes 1,024 tokens at 10,000 a second
  EXPECT_NEAR(trial.served[1].first_token_s, 0.1 + 0.0512, 1e-6);  // loads two blocks at once, computes 512 tokens
  EXPECT_NEAR(trial.served[1].generation_s, 0.2, 1e-9);
  EXPECT_EQ(trial.replay.hit_tokens, 1024u);
}

TEST_F(Paged, LayerByLayerTheLongerOfBothCounts) {
  trace(row(0, 1024, "1, 2") + row(5000, 1536, "1, 2, 3"));
  settings_.layerwise = true;
  test::VirtualIo io;
  io.fixed_ns = 30'000'000;
  EXPECT_NEAR(replay(io).served[1].first_token_s, 0.0512, 1e-6);
}

TEST_F(Paged, RequestsAreReadAndLookedUpBeforeTheirTime) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += row(10 * i, 512, std::to_string(i));
  trace(text);
  test::VirtualIo io;
  PagedEngine engine(settings_, *find_model("tiny-1b"), 1, 1000, std::move(*TraceReader::open(settings_.trace)), io);
  engine.prepare(0);
  EXPECT_FALSE(engine.look_ahead()) << "all of a short trace is read before the window";
  EXPECT_EQ(engine.counted().replay.requests, 0u);
  EXPECT_EQ(engine.counted().offered, 0u);
  engine.begin(0);
  EXPECT_EQ(engine.next_event(), 0);
}

TEST_F(Paged, WhatIsReadAheadIsBoundedHoweverLongATraceIs) {
  std::string ids = "0";
  for (int i = 1; i < 1000; ++i) ids += ", " + std::to_string(i);
  std::string text;
  for (int i = 0; i < 100; ++i) text += row(10 * i, 512'000, ids);
  trace(text);
  test::VirtualIo io;
  PagedEngine engine(settings_, *find_model("tiny-1b"), 1, 1000, std::move(*TraceReader::open(settings_.trace)), io);
  engine.prepare(0);
  EXPECT_FALSE(engine.look_ahead());
  engine.begin(0);
  engine.advance(0);  // sends the first one
  EXPECT_TRUE(engine.look_ahead());
  EXPECT_FALSE(engine.look_ahead());
}

TEST_F(Paged, LatenessIsUntilAllIsOnItsWayAndOursOnlyWhatWeCompute) {
  trace(row(0, 1024, "1, 2") + row(5000, 1536, "1, 2, 3"));
  test::VirtualIo io;
  io.own_ns = 1'000'000;
  io.others_ns = 4'000'000;
  const Replay replayed = replay(io).replay;
  EXPECT_EQ(replayed.lateness_ns.count(), 2u);
  EXPECT_NEAR(static_cast<double>(replayed.lateness_ns.percentile(0.99)), 5e6, 2e5);
  EXPECT_NEAR(static_cast<double>(replayed.own_lateness_ns.percentile(0.99)), 1e6, 5e4);
}

TEST_F(Paged, ABlockThatIsBeingWrittenIsAHitAndWaitedFor) {
  trace(row(0, 512, "1") + row(1, 512, "1"));
  test::VirtualIo io;
  io.fixed_ns = 1'000'000'000;
  const RankTrial trial = replay(io);
  EXPECT_EQ(trial.replay.block_hits, 1u);
  EXPECT_NEAR(trial.served[1].first_token_s, 2.0512 - 0.001, 1e-3);  // computed, written, then read
}

TEST_F(Paged, WhatLeavesIsRemovedOnceNobodyReadsIt) {
  settings_.block_capacity = 2;
  trace(row(0, 1024, "1, 2") + row(10'000, 512, "1") + row(10'001, 1024, "3, 4") + row(20'000, 512, "1"));
  test::VirtualIo io;
  io.fixed_ns = 500'000'000;
  const RankTrial trial = replay(io);
  EXPECT_EQ(trial.replay.blocks_evicted, 3u);
  EXPECT_EQ(trial.replay.block_hits, 1u);
  EXPECT_EQ(trial.entries[2], 2u);
}

TEST_F(Paged, WithoutReuseNothingIsRead) {
  trace(row(0, 512, "1") + row(10, 512, "2") + row(20, 512, "3"));
  test::VirtualIo io;
  const RankTrial trial = replay(io);
  EXPECT_EQ(trial.reads, 0u);
  EXPECT_EQ(trial.replay.block_hits, 0u);
}

TEST_F(Paged, FromTheSecondCycleOnEverythingIsAHit) {
  trace(row(0, 1024, "1, 2") + row(1000, 1024, "3, 4"));
  settings_.cycles = 4;
  settings_.speedup = 2;
  test::VirtualIo io;
  io.fixed_ns = 1000;
  const RankTrial trial = replay(io);
  EXPECT_EQ(trial.replay.block_references, 16u);
  EXPECT_EQ(trial.replay.block_hits, 12u);
  EXPECT_EQ(trial.replay.requests, 8u);
}

TEST_F(Paged, ADamagedRowEndsTheReplayWithItsLine) {
  trace(row(0, 512, "1") + "oops\n");
  auto reader = TraceReader::open(settings_.trace);
  test::VirtualIo io;
  PagedEngine engine(settings_, *find_model("tiny-1b"), 1, 1000, std::move(*reader), io);
  io.run(engine, 10);
  ASSERT_TRUE(engine.problem());
  EXPECT_THAT(engine.problem()->message, ::testing::HasSubstr("line 2"));
}

TEST_F(Paged, CountsWithoutIoWhatAReplayCounts) {
  std::string text;
  Random random(5);
  for (int i = 0; i < 500; ++i) {
    std::string ids = std::to_string(random.integer(0, 9));
    for (uint64_t k = 0; k < random.integer(0, 5); ++k) ids += ", " + std::to_string(10 + random.integer(0, 30));
    const auto blocks = static_cast<uint64_t>(std::count(ids.begin(), ids.end(), ',')) + 1;
    text += row(i * 10, blocks * 512, ids);
  }
  trace(text);
  settings_.block_capacity = 12;
  test::VirtualIo io;
  io.fixed_ns = 40'000'000;
  const RankTrial trial = replay(io);
  const auto counted = count_replays(settings_, true);
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_EQ(counted->front().replay.block_hits, trial.replay.block_hits);
  EXPECT_EQ(counted->front().replay.blocks_stored, trial.replay.blocks_stored);
  EXPECT_EQ(counted->front().replay.blocks_evicted, trial.replay.blocks_evicted);
  EXPECT_EQ(trial.reads, trial.replay.block_hits);
  EXPECT_EQ(trial.writes, trial.replay.blocks_stored);
  EXPECT_EQ((*counted)[1].block_capacity, 0u);
  EXPECT_GT((*counted)[1].replay.block_hits, counted->front().replay.block_hits);
}

}  // namespace
}  // namespace mlps::kvcache
