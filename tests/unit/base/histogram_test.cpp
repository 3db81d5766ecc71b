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

TEST(Histogram, TakesTheLargestValue) {
  Histogram h;
  h.record(~uint64_t{0});
  h.record(uint64_t{1} << 63);
  EXPECT_EQ(h.percentile(1.0), ~uint64_t{0});
  EXPECT_EQ(h.min(), uint64_t{1} << 63);
}

}  // namespace
}  // namespace mlps
