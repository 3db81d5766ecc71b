#include "base/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace mlps {
namespace {

TEST(Histogram, EmptyAnswersZero) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.percentile(0.5), 0U);
  EXPECT_EQ(empty.min(), 0U);
  EXPECT_EQ(empty.max(), 0U);
  EXPECT_EQ(empty.mean(), 0.0);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram h;
  for (uint64_t v = 1; v <= 50; ++v) h.record(v);
  EXPECT_EQ(h.percentile(0.5), 25U);
  EXPECT_EQ(h.percentile(0.98), 49U);
  EXPECT_EQ(h.percentile(1.0), 50U);
  EXPECT_EQ(h.percentile(0.0), 1U);
}

TEST(Histogram, PercentilesStayWithinABucketOfAnExactSort) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(13.0, 2.0);
  Histogram h;
  std::vector<uint64_t> exact;
  for (int i = 0; i < 100'000; ++i) {
    exact.push_back(static_cast<uint64_t>(latency(random)));
    h.record(exact.back());
  }
  std::sort(exact.begin(), exact.end());
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto truth = static_cast<double>(exact[static_cast<size_t>(fraction * 100'000) - 1]);
    EXPECT_NEAR(static_cast<double>(h.percentile(fraction)), truth, truth / 64 + 1) << fraction;
  }
  EXPECT_EQ(h.max(), exact.back());
  EXPECT_EQ(h.min(), exact.front());
}

TEST(Histogram, MergingEqualsRecordingTogether) {
  Histogram a, b, both;
  for (uint64_t i = 0; i < 1000; ++i) {
    (i % 3 == 0 ? a : b).record(i * i);
    both.record(i * i);
  }
  a.merge(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.mean(), both.mean());
  for (const double fraction : {0.1, 0.5, 0.99}) EXPECT_EQ(a.percentile(fraction), both.percentile(fraction));
}

TEST(Histogram, AClearedOneIsAsNew) {
  std::mt19937_64 random(7);
  Histogram used;
  for (int round = 0; round < 50; ++round) {
    Histogram fresh;
    for (int i = 0; i < 20; ++i) {
      const uint64_t value = random() >> (random() % 64);
      used.record(value);
      fresh.record(value);
    }
    const Histogram::State left = used.state(), right = fresh.state();
    ASSERT_EQ(left.buckets.size(), right.buckets.size()) << "round " << round;
    for (size_t i = 0; i < left.buckets.size(); ++i) {
      EXPECT_EQ(left.buckets[i].index, right.buckets[i].index);
      EXPECT_EQ(left.buckets[i].count, right.buckets[i].count);
    }
    EXPECT_EQ(used.percentile(0.5), fresh.percentile(0.5));
    EXPECT_EQ(used.min(), fresh.min());
    used.clear();
    EXPECT_EQ(used.count(), 0u);
    EXPECT_EQ(used.max(), 0u);
  }
}

TEST(Histogram, TakesTheLargestValue) {
  Histogram h;
  h.record(~uint64_t{0});
  h.record(uint64_t{1} << 63);
  EXPECT_EQ(h.percentile(1.0), ~uint64_t{0});
  EXPECT_EQ(h.min(), uint64_t{1} << 63);
}

Histogram::State a_state() {
  Histogram h;
  for (const uint64_t value : {3U, 3U, 70U, 900'000U}) h.record(value);
  return h.state();
}

TEST(Histogram, IsTheSameAfterItsStateWasTakenOutAndPutBack) {
  Histogram h;
  for (uint64_t i = 0; i < 1000; ++i) h.record(i * i * i);
  const auto back = Histogram::restore(h.state());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->count(), h.count());
  EXPECT_EQ(back->min(), h.min());
  EXPECT_EQ(back->max(), h.max());
  EXPECT_EQ(back->mean(), h.mean());
  for (const double fraction : {0.0, 0.1, 0.5, 0.99, 1.0})
    EXPECT_EQ(back->percentile(fraction), h.percentile(fraction));
  EXPECT_EQ(a_state().buckets.size(), 3U) << "only the buckets in use";
}

TEST(Histogram, AnEmptyOneThatWasPutBackStillFindsItsMinimum) {
  auto back = Histogram::restore(Histogram().state());
  ASSERT_TRUE(back);
  back->record(17);
  EXPECT_EQ(back->min(), 17U);
  EXPECT_EQ(back->mean(), 17.0);
}

TEST(Histogram, TheLargestValuesCanBePutBack) {
  Histogram h;
  h.record(~uint64_t{0});
  h.record(~uint64_t{0});  // the sum has wrapped
  EXPECT_TRUE(Histogram::restore(h.state()));
}

TEST(Histogram, AStateThatNoHistogramHasIsRefused) {
  ASSERT_TRUE(Histogram::restore(a_state()));
  const auto refused = [](auto change) {
    Histogram::State state = a_state();
    change(state);
    return !Histogram::restore(state);
  };
  EXPECT_TRUE(refused([](auto& s) { s.buckets.back().index = 1'000'000; })) << "past the last bucket";
  EXPECT_TRUE(refused([](auto& s) { std::swap(s.buckets[0], s.buckets[1]); })) << "not ascending";
  EXPECT_TRUE(refused([](auto& s) { s.buckets[1] = s.buckets[0]; })) << "twice the same";
  EXPECT_TRUE(refused([](auto& s) { s.buckets[1].count = 0; })) << "an empty bucket";
  EXPECT_TRUE(refused([](auto& s) { s.buckets[1].count = ~uint64_t{0}; })) << "more values than can be counted";
  EXPECT_TRUE(refused([](auto& s) { s.min = 4; })) << "a minimum of another bucket";
  EXPECT_TRUE(refused([](auto& s) { s.max = 70; })) << "a maximum of another bucket";
  EXPECT_TRUE(refused([](auto& s) { s.sum = 5; })) << "less than count times minimum";
  EXPECT_TRUE(refused([](auto& s) { s.sum = 4'000'000; })) << "more than count times maximum";
  EXPECT_TRUE(refused([](auto& s) { s.buckets.clear(); })) << "a sum of no values";
}

}  // namespace
}  // namespace mlps
