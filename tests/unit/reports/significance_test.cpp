#include "reports/significance.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace mlps::reports {
namespace {

TEST(RankTest, CountsArrangementsExactly) {
  // 2 of 70 choices of four ranks of eight are this far apart.
  const auto apart = rank_test({1, 2, 3, 4}, {5, 6, 7, 8});
  ASSERT_TRUE(apart);
  EXPECT_DOUBLE_EQ(apart->p, 2.0 / 70);
  EXPECT_DOUBLE_EQ(apart->superiority, 1);
  EXPECT_TRUE(apart->differs() && apart->is_exact);
  // Three and three: 2 of 20 is the least there can be, which is no difference.
  EXPECT_DOUBLE_EQ(rank_test({1, 2, 3}, {4, 5, 6})->p, 0.1);
}

TEST(RankTest, TiesShareTheirRanks) {
  const auto tied = rank_test({1, 2, 2, 3}, {2, 3, 4, 5});
  EXPECT_NEAR(tied->p, 0.2, 1e-12);  // 14 of 70 arrangements
  EXPECT_DOUBLE_EQ(tied->superiority, 13.5 / 16);
  const auto same = rank_test({1, 1, 1}, {1, 1, 1});
  EXPECT_DOUBLE_EQ(same->p, 1);
  EXPECT_DOUBLE_EQ(same->superiority, 0.5);
  EXPECT_FALSE(rank_test({}, {1}));
}

TEST(RankTest, ManyValuesAreApproximatedAndAgreeWithTheExactOnes) {
  std::vector<double> one(30), other(30), more(31);
  std::iota(one.begin(), one.end(), 0.0);
  std::iota(other.begin(), other.end(), 6.5);
  std::iota(more.begin(), more.end(), 6.5);
  const auto exact = rank_test(one, other);
  const auto approximate = rank_test(one, more);
  EXPECT_TRUE(exact->is_exact);
  EXPECT_FALSE(approximate->is_exact);
  EXPECT_NEAR(exact->p, 0.0096, 0.0005);  // 0.0097 by the normal approximation
  EXPECT_NEAR(exact->p, approximate->p, 0.006);
  EXPECT_DOUBLE_EQ(rank_test(std::vector<double>(40, 1), std::vector<double>(40, 1))->p, 1);
}

TEST(ValuesAdvised, FollowNoether) {
  // (1.96 + 0.84)^2 / (6 (0.75 - 0.5)^2) = 20.9
  EXPECT_EQ(values_advised({0.2, 0.75, true}), 21u);
  EXPECT_EQ(values_advised({0.2, 0.25, true}), 21u);
  EXPECT_EQ(values_advised({0.1, 1.0, true}), 6u);
  EXPECT_FALSE(values_advised({1, 0.5, true}));
}

TEST(RatioInterval, HoldsTheRatioAndIsTheSameEveryTime) {
  const std::vector<double> one = {100, 101, 99, 102, 98};
  const std::vector<double> other = {200, 202, 198, 204, 196};
  const auto interval = ratio_interval(one, other);
  ASSERT_TRUE(interval);
  EXPECT_LT(interval->low, 2);
  EXPECT_GT(interval->high, 2);
  EXPECT_GT(interval->low, 1.9);
  EXPECT_EQ(ratio_interval(one, other)->low, interval->low);
  EXPECT_FALSE(ratio_interval({1, 2}, other));
  EXPECT_FALSE(ratio_interval({0, 1, 2}, other));
}

TEST(Quantile, InterpolatesBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0), 1);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 1), 4);
  EXPECT_DOUBLE_EQ(quantile({}, 0.5), 0);
}

}  // namespace
}  // namespace mlps::reports
