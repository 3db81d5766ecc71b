#include "benchmarks/training/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "benchmarks/training/feed.hpp"
#include "fake_format.hpp"

namespace mlps::training {
namespace {

using mlps::test::FakeFormat;

TEST(ExtentMap, OneFileOneSample) {
  const FakeFormat format(10, {1});
  const ExtentMap map(format, 1);
  EXPECT_EQ(map.tickets_for(0), 0U);
  EXPECT_EQ(map.tickets_for(24), 24U);
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
  Stream stream_{8};
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

/// Workers that claim and complete in whatever order, until the feed is closed.
class Crew {
 public:
  explicit Crew(Feed& feed) {
    for (uint32_t w = 0; w < 3; ++w) threads_.emplace_back([&feed, w] { work(feed, w); });
  }
  ~Crew() {
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  static void work(Feed& feed, uint32_t rank) {
    for (;;) {
      const uint32_t heard = feed.work().prepare_wait();
      bool claimed = false;
      for (uint32_t tries = 0; tries < feed.size(); ++tries, rank = (rank + 1) % feed.size()) {
        const Stream::Claim claim = feed.stream(rank).claim(2);
        claimed = claimed || claim.count != 0;
        for (uint64_t i = claim.count; i-- > 0;) {
          if (feed.stream(rank).complete(claim.first + i)) feed.announce(rank);
        }
      }
      if (claimed) continue;
      if (feed.closed()) return;
      feed.work().wait(heard);
    }
  }

  std::vector<std::thread> threads_;
};

/// Takes every batch of a pass on every rank, as the conductor does.
void consume(Feed& feed, const Pass& pass, uint64_t batches, uint64_t batch) {
  std::vector<uint64_t> taken(feed.size(), 0);
  std::vector<uint32_t> announced;
  uint64_t left = batches * feed.size();
  const auto advance = [&](uint32_t rank) {
    Stream& stream = feed.stream(rank);
    for (;;) {
      if (taken[rank] == batches) return;
      feed.wake_workers(stream.allow(pass.extents.tickets_for((taken[rank] + 3) * batch)));
      if (!stream.ready(batch)) return;
      stream.take(batch);
      ++taken[rank];
      --left;
    }
  };
  for (uint32_t rank = 0; rank < feed.size(); ++rank) advance(rank);
  while (left != 0) {
    const uint32_t heard = feed.news().prepare_wait();
    feed.collect(announced);
    for (const uint32_t rank : announced) advance(rank);
    if (announced.empty()) feed.news().wait(heard);
  }
}

// The consumer sees every batch of every pass and never sleeps through one; a lost wake-up shows as a test that hangs.
// Passes follow each other while workers look for more.
TEST(Feed, ManyWorkersAndOneConsumerOverManyPasses) {
  constexpr uint64_t kBatches = 60, kBatch = 5;
  const FakeFormat format(10, {0, 2, 1});
  Feed feed(0, 3, 64, 3, 3);
  Crew crew(feed);
  const Pass pass{1, nullptr, EpochOrder(1, 1, workloads::Shuffle::kOff, 0), ExtentMap(format, 3), std::nullopt};
  for (int i = 0; i < 100; ++i) {
    feed.begin(pass, kBatches * kBatch, 16);
    consume(feed, pass, kBatches, kBatch);
    for (uint32_t rank = 0; rank < feed.size(); ++rank) ASSERT_EQ(feed.stream(rank).taken_samples(), kBatches * kBatch);
  }
  feed.close();
}

}  // namespace
}  // namespace mlps::training
