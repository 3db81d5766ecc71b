#include "world/sampler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>

namespace mlps::world {
namespace {

using ::testing::ElementsAre;

// A sample that says which it is.
HostSample numbered(int64_t number) {
  HostSample sample;
  sample.at.wall_us = number;
  return sample;
}

std::vector<int64_t> numbers(const std::vector<HostSample>& samples) {
  std::vector<int64_t> numbers;
  for (const HostSample& sample : samples) numbers.push_back(sample.at.wall_us);
  return numbers;
}

SampleKeeper filled(uint32_t max_samples, uint64_t ticks) {
  SampleKeeper keeper({.max_samples = max_samples});
  for (uint64_t tick = 0; tick <= ticks; ++tick) {
    if (tick % keeper.step() == 0) keeper.add(tick, numbered(static_cast<int64_t>(tick)));
  }
  return keeper;
}

TEST(SampleKeeper, KeepsAllThatFit) {
  SampleKeeper keeper = filled(6, 4);
  EXPECT_EQ(keeper.step(), 1U);
  EXPECT_THAT(numbers(keeper.finish(numbered(99))), ElementsAre(0, 1, 2, 3, 4, 99));
}

TEST(SampleKeeper, DropsEverySecondAndDoublesTheIntervalAtTheMaximum) {
  SampleKeeper keeper = filled(6, 5);  // 0 to 5 and the last would be seven
  EXPECT_EQ(keeper.step(), 2U);
  EXPECT_THAT(numbers(keeper.finish(numbered(99))), ElementsAre(0, 2, 4, 99));
}

TEST(SampleKeeper, ThinsAgainAsOftenAsItTakes) {
  SampleKeeper keeper = filled(6, 1000);  // 0, 256, 512 and 768 are four; step 128 would be eight
  EXPECT_EQ(keeper.step(), 256U);
  EXPECT_THAT(numbers(keeper.finish(numbered(2000))), ElementsAre(0, 256, 512, 768, 2000));
}

TEST(SampleKeeper, OfTwoSamplesFirstAndLastStay) {
  SampleKeeper keeper = filled(2, 50);
  EXPECT_THAT(numbers(keeper.finish(numbered(99))), ElementsAre(0, 99));
}

TEST(SampleKeeper, MemoryIsALimitToo) {
  HostSample large = numbered(0);
  large.disks.resize(100);
  SampleKeeper keeper({.max_samples = 1000, .max_bytes = 10 * large.memory_bytes()});
  for (uint64_t tick = 0; tick < 11; ++tick) {
    large.at.wall_us = static_cast<int64_t>(tick);
    keeper.add(tick, large);
  }
  EXPECT_EQ(keeper.step(), 2U);
  EXPECT_THAT(numbers(keeper.finish(numbered(99))), ElementsAre(0, 2, 4, 6, 8, 10, 99));
}

TEST(SampleKeeper, ASampleTooLargeForTheLimitStaysWhenItIsTheOnlyOne) {
  SampleKeeper keeper({.max_bytes = 1});
  keeper.add(0, numbered(0));
  keeper.add(1, numbered(1));
  EXPECT_THAT(numbers(keeper.finish(numbered(9))), ElementsAre(0, 9));
}

TEST(Sampler, AShortRunHasAFirstAndALastSample) {
  Failure failure;
  int reads = 0;
  Sampler sampler(
      {.interval_s = 3600}, [&] { return numbered(++reads); }, failure);
  EXPECT_EQ(reads, 1);  // at once, by the caller
  const TimeSeries series = sampler.stop();
  EXPECT_THAT(numbers(series.samples), ElementsAre(1, 2));
  EXPECT_EQ(series.samples_taken, 2U);
  EXPECT_EQ(series.interval_s, 3600);
}

TEST(Sampler, SamplesByItselfAndThinsLongRuns) {
  Failure failure;
  std::atomic<int> reads{0};
  std::counting_semaphore<> taken(0);
  Sampler sampler(
      {.interval_s = 1e-4, .max_samples = 4},
      [&] {
        const int number = ++reads;
        taken.release();
        return numbered(number);
      },
      failure);
  for (int i = 0; i < 12; ++i) taken.acquire();
  const TimeSeries series = sampler.stop();
  EXPECT_GE(series.samples_taken, 13U);
  EXPECT_LE(series.samples.size(), 4U);
  EXPECT_EQ(series.samples.front().at.wall_us, 1);
  EXPECT_EQ(series.samples.back().at.wall_us, reads);
  EXPECT_TRUE(std::is_sorted(series.samples.begin(), series.samples.end(),
                             [](const auto& a, const auto& b) { return a.at.wall_us < b.at.wall_us; }));
  EXPECT_EQ(series.requested_interval_s, 1e-4);
  EXPECT_GE(series.interval_s, 4e-4);  // the thinning of 12 samples to 3 needs at least two rounds
}

TEST(Sampler, OneThatIsDroppedEndsItsThread) {
  Failure failure;
  int reads = 0;
  {
    const Sampler sampler(
        {.interval_s = 3600}, [&] { return numbered(++reads); }, failure);
  }
  EXPECT_EQ(reads, 1);
}

TEST(Sampler, AnIntervalLongerThanAnyRunIsNoTrouble) {
  Failure failure;
  Sampler sampler(
      {.interval_s = 1e300}, [] { return numbered(1); }, failure);
  EXPECT_EQ(sampler.stop().samples.size(), 2U);
}

}  // namespace
}  // namespace mlps::world
