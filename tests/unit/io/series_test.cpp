#include "io/series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::io {
namespace {

constexpr Nanos kMs = 1'000'000;

Histogram latency_of(const Second& second) {
  return Histogram::restore(second.latency).value_or(Histogram());
}

TEST(Series, HoldsEverySecondAndThoseInWhichNothingHappened) {
  SharedSeries shared(5'000 * kMs);
  SecondRecorder one(&shared), other(&shared);
  one.moved(5'100 * kMs, 10, 1000);
  one.moved(5'999 * kMs, 20, 3000);
  one.moved(8'000 * kMs, 40, 5000);
  one.retried(8'001 * kMs, 2);
  other.moved(5'200 * kMs, 100, 2000);
  one.flush();
  other.flush();
  const std::vector<Second>& seconds = shared.series().intervals();
  ASSERT_EQ(seconds.size(), 4U);
  EXPECT_EQ(seconds[0].bytes, 130U);
  EXPECT_EQ(seconds[0].operations, 3U);
  EXPECT_EQ(latency_of(seconds[0]).min(), 1000U);
  EXPECT_EQ(latency_of(seconds[0]).max(), 3000U);
  EXPECT_EQ(seconds[1].operations, 0U);
  EXPECT_EQ(seconds[3].bytes, 40U);
  EXPECT_EQ(seconds[3].retries, 2U);
}

TEST(Series, SumsCanBeLookedAtWhileThreadsWork) {
  SharedSeries shared(5'000 * kMs);
  SecondRecorder recorder(&shared);
  recorder.moved(5'100 * kMs, 10, 1000);
  recorder.committed(5'200 * kMs, 70'000);
  recorder.retried(5'300 * kMs, 2);
  EXPECT_EQ(shared.sums().bytes, 0U) << "the second is not over";
  recorder.moved(6'100 * kMs, 20, 3000);
  EXPECT_EQ(shared.sums().bytes, 10U);
  EXPECT_EQ(shared.sums().retries, 2U);
  EXPECT_EQ(shared.sums().commits.max(), 70'000U);
  recorder.flush();
  EXPECT_EQ(shared.sums().latency.count(), 2U);
  shared.begin_sums();
  EXPECT_EQ(shared.sums().latency.count(), 0U);
  EXPECT_EQ(shared.sums().commits.count(), 0U);
  EXPECT_EQ(shared.sums().bytes, 30U) << "what is counted stays";
}

TEST(Series, ASecondOfNothingButCommitsIsNoSecondOfOperations) {
  SharedSeries shared(0);
  SecondRecorder recorder(&shared);
  recorder.committed(3'000 * kMs, 5);
  recorder.flush();
  EXPECT_TRUE(shared.series().intervals().empty());
  EXPECT_EQ(shared.sums().commits.count(), 1U);
}

TEST(Series, WithoutOneNothingIsRecorded) {
  SecondRecorder recorder(nullptr);
  recorder.moved(1, 2, 3);
  recorder.retried(1, 2);
  recorder.flush();
}

TEST(Series, OfALongRunHasLongerIntervalsAndLosesNothing) {
  Series series;
  uint64_t bytes = 0;
  for (uint64_t second = 0; second < 3 * Series::kMostIntervals; ++second) {
    series.at(second).bytes += second;
    bytes += second;
  }
  EXPECT_EQ(series.interval_s(), 4U);
  EXPECT_LE(series.intervals().size(), Series::kMostIntervals);
  EXPECT_EQ(series.intervals()[1].bytes, 4U + 5 + 6 + 7);
  for (const Second& second : series.intervals()) bytes -= second.bytes;
  EXPECT_EQ(bytes, 0U);
}

TEST(Series, LatenciesAddUpAsHistogramsDo) {
  Histogram all;
  Second sum;
  for (const std::vector<uint64_t>& values : std::vector<std::vector<uint64_t>>{
           {}, {500, 7}, {7, 7, 1'000'000}, {1}, {90'000'000, 500, 2}, {}, {90'000'001}}) {
    Histogram one;
    for (const uint64_t value : values) one.record(value);
    all.merge(one);
    Second second;
    second.latency = one.state();
    sum.merge(second);
    const auto merged = Histogram::restore(sum.latency);
    ASSERT_TRUE(merged);
    EXPECT_EQ(merged->count(), all.count());
    EXPECT_EQ(std::tuple(merged->min(), merged->max(), merged->mean()), std::tuple(all.min(), all.max(), all.mean()));
    for (const double fraction : {0.0, 0.3, 0.5, 0.9, 1.0}) {
      EXPECT_EQ(merged->percentile(fraction), all.percentile(fraction));
    }
  }
  Series here, there;
  here.at(0).latency = sum.latency;
  there.at(0).latency = sum.latency;
  there.at(0).latency.buckets.back().index = 1;  // sent by a process gone wrong
  here.merge(there);
  EXPECT_EQ(Histogram::restore(here.intervals()[0].latency)->count(), all.count());
}

TEST(Series, OfSeveralHostsAddUpWhateverTheirIntervals) {
  Series whole, part;
  whole.at(5).bytes = 1;
  part.at(2 * Series::kMostIntervals - 1).bytes = 2;
  part.at(4).bytes = 4;
  whole.merge(part);
  EXPECT_EQ(whole.interval_s(), 2U);
  EXPECT_EQ(whole.intervals()[2].bytes, 5U);
  const world::Bytes packed = world::pack("series", whole);
  const auto copy = world::unpack<Series>("series", "host b", packed);
  ASSERT_TRUE(copy);
  EXPECT_EQ(world::pack("series", *copy), packed);
}

}  // namespace
}  // namespace mlps::io
