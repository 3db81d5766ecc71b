#include "benchmarks/training/compute_time.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace mlps::training {
namespace {

using workloads::TimeDistribution;
using Kind = TimeDistribution::Kind;

constexpr size_t kDraws = 200'000;

std::vector<double> draws(const TimeDistribution& distribution, size_t count = kDraws, uint64_t seed = 123,
                          uint32_t rank = 0) {
  TimeSampler sampler(distribution, seed, rank);
  std::vector<double> seconds(count);
  for (double& value : seconds) value = to_seconds(sampler.draw());
  return seconds;
}

struct Moments {
  double mean = 0, stdev = 0;
};
Moments moments(const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / static_cast<double>(values.size()))};
}

TEST(TimeSampler, AConstantIsItself) {
  TimeSampler sampler({Kind::kConstant, 0.162, 0}, 1, 0);
  EXPECT_EQ(sampler.draw(), 162'000'000);
  EXPECT_EQ(sampler.draw(), 162'000'000);
  EXPECT_EQ(TimeSampler({Kind::kConstant, 0.000375, 0}, 1, 0).draw(), 375'000);
  EXPECT_EQ(TimeSampler({Kind::kConstant, -0.5, 0}, 1, 0).draw(), 500'000'000) << "the absolute value counts";
  EXPECT_EQ(TimeSampler({}, 1, 0).draw(), 0);
}

// Section 5.7: each type with the mean and spread of its textbook formula, within 5 standard errors of 200,000 draws.
TEST(TimeSampler, TypesHaveTheirMeanAndSpread) {
  struct Row {
    TimeDistribution distribution;
    double mean, stdev;
  };
  const std::vector<Row> rows = {
      {{Kind::kNormal, 0.5, 0.05}, 0.5, 0.05},
      {{Kind::kUniform, 0.1, 0.3}, 0.2, 0.2 / std::sqrt(12.0)},
      {{Kind::kGamma, 2, 0.1}, 0.2, 0.1 * std::sqrt(2.0)},
      {{Kind::kGamma, 0.5, 0.1}, 0.05, 0.1 * std::sqrt(0.5)},
      {{Kind::kExponential, 0.2, 0}, 0.2, 0.2},
      {{Kind::kPoisson, 3, 0}, 3, std::sqrt(3.0)},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(describe(row.distribution));
    const Moments found = moments(draws(row.distribution));
    EXPECT_NEAR(found.mean, row.mean, 5 * row.stdev / std::sqrt(static_cast<double>(kDraws)));
    EXPECT_NEAR(found.stdev / row.stdev, 1, 0.03);
  }
}

TEST(TimeSampler, NothingIsNegative) {
  const std::vector<double> folded = draws({Kind::kNormal, 0, 0.1});
  EXPECT_GE(*std::min_element(folded.begin(), folded.end()), 0);
  EXPECT_NEAR(moments(folded).mean, 0.1 * std::sqrt(2 / M_PI), 0.001) << "the absolute value, not a cut at 0";
}

TEST(TimeSampler, StaysInTheRangeOfAUniform) {
  const std::vector<double> values = draws({Kind::kUniform, 0.1, 0.3});
  EXPECT_GE(*std::min_element(values.begin(), values.end()), 0.1);
  EXPECT_LE(*std::max_element(values.begin(), values.end()), 0.3);
}

TEST(TimeSampler, DegenerateShapesAreZero) {
  EXPECT_EQ(TimeSampler({Kind::kGamma, 0, 1}, 1, 0).draw(), 0);
  EXPECT_EQ(TimeSampler({Kind::kPoisson, 0, 0}, 1, 0).draw(), 0);
  EXPECT_EQ(TimeSampler({Kind::kExponential, 0, 0}, 1, 0).draw(), 0);
  EXPECT_GT(TimeSampler({Kind::kGamma, 86400, 86400}, 1, 0).draw(), 0) << "as large as the schema allows";
}

TEST(TimeSampler, SeedAndRankDecideAndRanksAreIndependent) {
  const TimeDistribution normal{Kind::kNormal, 1, 0.1};
  const std::vector<double> first = draws(normal, 10'000);
  EXPECT_EQ(first, draws(normal, 10'000));
  for (const std::vector<double>& other : {draws(normal, 10'000, 124, 0), draws(normal, 10'000, 123, 1)}) {
    double product = 0;
    for (size_t i = 0; i < first.size(); ++i) product += (first[i] - 1) * (other[i] - 1) / 0.01;
    EXPECT_LT(std::abs(product / 10'000), 0.05) << "correlation";
  }
}

TEST(Describe, SaysTypeAndParameters) {
  EXPECT_EQ(describe({Kind::kConstant, 0.162, 0}), "0.162 s");
  EXPECT_EQ(describe({Kind::kNormal, 0.5, 0.1}), "normal(0.5 s, 0.1 s)");
  EXPECT_EQ(describe({Kind::kUniform, 0.1, 0.2}), "uniform(0.1 s, 0.2 s)");
  EXPECT_EQ(describe({Kind::kGamma, 2, 0.1}), "gamma(shape 2, scale 0.1 s)");
  EXPECT_EQ(describe({Kind::kExponential, 0.1, 0}), "exponential(0.1 s)");
  EXPECT_EQ(describe({Kind::kPoisson, 2, 0}), "poisson(2 s)");
  EXPECT_EQ(describe({}), "none");
}

}  // namespace
}  // namespace mlps::training
