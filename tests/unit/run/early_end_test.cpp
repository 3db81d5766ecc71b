#include "run/early_end.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace mlps::run {
namespace {

bool steady(const std::vector<double>& values) {
  return is_steady(values);
}

TEST(SteadyState, LooksAtTheLastFive) {
  EXPECT_FALSE(steady({}));
  EXPECT_FALSE(steady({100, 100, 100, 100}));
  EXPECT_TRUE(steady({100, 100, 100, 100, 100}));
  EXPECT_TRUE(steady({10, 40, 95, 100, 100, 101, 99, 100}));
  EXPECT_FALSE(steady({100, 100, 100, 100, 100, 50}));
}

TEST(SteadyState, RangeAndSlopeHaveLimits) {
  EXPECT_TRUE(steady({90, 110, 100, 110, 90}));      // a range of 20 %, no slope
  EXPECT_FALSE(steady({89, 110, 100, 110, 90}));     // more
  EXPECT_TRUE(steady({95, 97.5, 100, 102.5, 105}));  // a slope of 10 %
  EXPECT_FALSE(steady({94, 97, 100, 103, 106}));     // more, within the range
  EXPECT_FALSE(steady({106, 103, 100, 97, 94}));
}

TEST(SteadyState, NothingIsSteadyThatMovesNothing) {
  EXPECT_FALSE(steady({0, 0, 0, 0, 0}));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(steady({nan, nan, nan, nan, nan}));
}

TEST(EarlyEnd, SteadyRatesComeBeforeTheTimeAndNothingWithoutEither) {
  const std::vector<double> steady = {10, 10, 10, 10, 10}, falling = {20, 17, 14, 11, 8};
  EXPECT_FALSE(EarlyEnd{}.is_wanted());
  EXPECT_EQ(EarlyEnd{}.judge(steady, 1e9), EndedBy::kPlan);
  const EarlyEnd both{60, true};
  EXPECT_TRUE(both.is_wanted());
  EXPECT_EQ(both.judge(steady, 60), EndedBy::kStable);
  EXPECT_EQ(both.judge(falling, 60), EndedBy::kTime);
  EXPECT_EQ(both.judge(falling, 59.9), EndedBy::kPlan);
  EXPECT_EQ((EarlyEnd{60, false}.judge(steady, 1)), EndedBy::kPlan);
}

}  // namespace
}  // namespace mlps::run
