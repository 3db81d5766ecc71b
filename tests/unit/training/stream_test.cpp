#include "training/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "fake_format.hpp"
#include "training/feed.hpp"

namespace mlps::training {
namespace {

using testing::FakeFormat;

TEST(ExtentMap, OneFileOneSample) {
  const FakeFormat format(10, {1});
  const ExtentMap map(format, 1);
  EXPECT_EQ(map.tickets_for(0), 0U);
  EXPECT_EQ(map.tickets_for(24), 24U);
  EXPECT_EQ(map.tickets_within(24), 24U);
}

TEST(ExtentMap, FooterAndRowGroups) {
  // A parquet file: a footer, then row groups of 6 and 4 rows.
  const FakeFormat format(10, {0, 6, 4});
  const ExtentMap map(format, 10);
  EXPECT_EQ(map.tickets_for(1), 2U) << "the footer and the first row group";
  EXPECT_EQ(map.tickets_for(6), 2U);
  EXPECT_EQ(map.tickets_for(7), 3U);
  EXPECT_EQ(map.tickets_for(10), 3U);
  EXPECT_EQ(map.tickets_for(11), 5U);
  EXPECT_EQ(map.tickets_for(27), 9U);
  EXPECT_EQ(map.tickets_within(5), 1U);
  EXPECT_EQ(map.tickets_within(6), 2U);
  EXPECT_EQ(map.tickets_within(10), 4U) << "the next file's footer holds no sample";
  EXPECT_EQ(map.tickets_within(19), 5U);
}

TEST(ExtentMap, ShufflingMovesEqualGroupsAsWholes) {
  // A footer, four row groups of two spans with 6 rows each, one of 2 rows.
  const FakeFormat format(10, {0, 0, 6, 0, 6, 0, 6, 0, 6, 0, 2});
  const ExtentMap map(format, 26);
  bool moved = false;
  for (uint64_t key = 0; key < 20; ++key) {
    std::vector<uint32_t> places;
    for (uint32_t place = 0; place < 11; ++place) places.push_back(map.shuffled(place, key));
    EXPECT_EQ(places[0], 0U) << "the footer is read first";
    EXPECT_EQ(places[9], 9U);
    EXPECT_EQ(places[10], 10U) << "the short group stays";
    for (uint32_t place = 1; place < 9; place += 2) {
      EXPECT_EQ(places[place] % 2, 1U);
      EXPECT_EQ(places[place + 1], places[place] + 1) << "spans of a group stay together";
      moved = moved || places[place] != place;
    }
    std::sort(places.begin(), places.end());
    for (uint32_t place = 0; place < 11; ++place) EXPECT_EQ(places[place], place) << "each once";
  }
  EXPECT_TRUE(moved);
}

TEST(ExtentMap, ASingleExtentHasNoOrder) {
  const FakeFormat format(10, {5});
  EXPECT_EQ(ExtentMap(format, 5).shuffled(0, 7), 0U);
}

class StreamTest : public ::testing::Test {
 protected:
  FakeFormat format_{10, {1}};
  ExtentMap map_{format_, 1};
  Stream stream_{0, 8};
};

TEST_F(StreamTest, ClaimsStayBelowTheLimitAndTheTotal) {
  stream_.restart(map_, 6, 100);
  EXPECT_EQ(stream_.claim(4).count, 0U) << "nothing is allowed yet";
  EXPECT_EQ(stream_.allow(5), 5U);
  EXPECT_EQ(stream_.allow(3), 0U) << "a limit never sinks";
  const Stream::Claim first = stream_.claim(4);
  EXPECT_EQ(first.first, 0U);
  EXPECT_EQ(first.count, 4U);
  EXPECT_EQ(stream_.claim(4).count, 1U);
  EXPECT_EQ(stream_.claim(4).count, 0U);
  EXPECT_EQ(stream_.allow(100), 1U) << "the pass has six reads";
}

TEST_F(StreamTest, ClaimsStayWithinTheReadsInFlight) {
  stream_.restart(map_, 100, 2);
  stream_.allow(8);
  EXPECT_EQ(stream_.claim(4).count, 2U);
  EXPECT_EQ(stream_.claim(4).count, 0U);
  stream_.complete(1);
  EXPECT_EQ(stream_.claim(4).count, 1U);
}

TEST_F(StreamTest, NeverFurtherAheadThanTheRing) {
  stream_.restart(map_, 100, 100);
  EXPECT_EQ(stream_.allow(50), 8U);
  for (uint64_t ticket = 0; ticket < 8; ++ticket) stream_.complete(ticket);
  ASSERT_TRUE(stream_.ready(3));
  stream_.take(3);
  EXPECT_EQ(stream_.allow(50), 3U);
}

TEST_F(StreamTest, ABatchIsReadyWhenAllItsReadsAreThereAndTheLastMissingOneTells) {
  stream_.restart(map_, 100, 100);
  stream_.allow(8);
  EXPECT_FALSE(stream_.ready(3));
  EXPECT_FALSE(stream_.complete(2)) << "0 is awaited";
  EXPECT_FALSE(stream_.complete(1));
  EXPECT_TRUE(stream_.complete(0));
  EXPECT_TRUE(stream_.ready(3));
  stream_.take(3);
  EXPECT_FALSE(stream_.ready(1));
  EXPECT_FALSE(stream_.complete(4));
  EXPECT_TRUE(stream_.complete(3));
}

TEST_F(StreamTest, ANewPassForgetsTheOldOne) {
  stream_.restart(map_, 4, 100);
  stream_.allow(4);
  stream_.claim(4);
  for (uint64_t ticket = 0; ticket < 4; ++ticket) stream_.complete(ticket);
  ASSERT_TRUE(stream_.ready(4));
  stream_.take(4);
  stream_.restart(map_, 4, 100);
  EXPECT_EQ(stream_.claim(1).count, 0U);
  EXPECT_FALSE(stream_.ready(1));
}

// Workers complete in whatever order; the consumer sees every batch, and never sleeps through one. A lost wake-up shows
// as a test that hangs.
TEST(Feed, ManyWorkersAndOneConsumer) {
  constexpr uint32_t kRanks = 3;
  constexpr uint64_t kBatches = 4000, kBatch = 5;
  const FakeFormat format(10, {0, 2, 1});
  const Dataset* no_dataset = nullptr;
  const Pass pass{1, no_dataset, EpochOrder(1, 1, workloads::Shuffle::kOff, 0), ExtentMap(format, 3), std::nullopt};
  Feed feed(kRanks, 64, 3, 3);
  feed.begin(pass, kBatches * kBatch, 16);
  std::vector<std::thread> workers;
  for (uint32_t w = 0; w < 3; ++w) {
    workers.emplace_back([&feed, w] {
      for (uint32_t rank = w;; rank = (rank + 1) % kRanks) {
        const uint32_t heard = feed.work().heard();
        uint32_t claimed = 0;
        for (uint32_t tries = 0; tries < kRanks && claimed == 0; ++tries, rank = (rank + 1) % kRanks) {
          const Stream::Claim claim = feed.stream(rank).claim(1 + w);
          claimed = claim.count;
          for (uint64_t i = claim.count; i-- > 0;) {
            if (feed.stream(rank).complete(claim.first + i)) feed.announce(rank);
          }
          if (claimed != 0) break;
        }
        if (claimed != 0) continue;
        if (feed.closed()) return;
        feed.work().wait(heard);
      }
    });
  }
  std::vector<uint64_t> taken(kRanks, 0);
  std::vector<uint32_t> announced;
  const auto advance = [&](uint32_t rank) {
    Stream& stream = feed.stream(rank);
    while (taken[rank] < kBatches && stream.ready(kBatch)) {
      stream.take(kBatch);
      ++taken[rank];
      if (stream.allow(pass.extents.tickets_for((taken[rank] + 3) * kBatch)) != 0) feed.work().ring();
    }
  };
  for (uint32_t rank = 0; rank < kRanks; ++rank) feed.stream(rank).allow(pass.extents.tickets_for(2 * kBatch));
  feed.work().ring();
  for (uint32_t rank = 0; rank < kRanks; ++rank) advance(rank);
  while (taken != std::vector<uint64_t>(kRanks, kBatches)) {
    const uint32_t heard = feed.news().heard();
    feed.collect(announced);
    for (const uint32_t rank : announced) advance(rank);
    if (announced.empty() && taken != std::vector<uint64_t>(kRanks, kBatches)) feed.news().wait(heard);
  }
  feed.close();
  for (std::thread& worker : workers) worker.join();
  for (uint32_t rank = 0; rank < kRanks; ++rank) EXPECT_EQ(feed.stream(rank).taken_samples(), kBatches * kBatch);
}

}  // namespace
}  // namespace mlps::training
