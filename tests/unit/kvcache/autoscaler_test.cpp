#include "benchmarks/kvcache/autoscaler.hpp"

#include <gtest/gtest.h>

namespace mlps::kvcache {
namespace {

ScalingRules rules_of(AutoscalerMode mode) {
  ScalingRules rules;
  rules.mode = mode;
  return rules;
}

Autoscaler::Look look(int number, double read_p95_ms, double tokens_per_s) {
  return {10.0 * number, read_p95_ms, 1, 1e9, tokens_per_s};
}

TEST(Autoscaler, WithoutEnoughLooksNothingIsSaturatedAndUsersCome) {
  Autoscaler scaler(rules_of(AutoscalerMode::kQos), 100);
  const ScalingTick tick = scaler.look(look(1, 500, 1));
  EXPECT_EQ(tick.saturation, 0);
  EXPECT_EQ(tick.act, ScalingAct::kUp);
  EXPECT_EQ(scaler.users(), 120u);
}

TEST(Autoscaler, SaturationIsOfTheSlowestReadAndHalfWhileReadsGetNoSlower) {
  Autoscaler scaler(rules_of(AutoscalerMode::kQos), 100);
  for (int i = 0; i < 9; ++i) scaler.look(look(i, 80, 1));
  EXPECT_DOUBLE_EQ(scaler.look(look(9, 80, 1)).saturation, 0.4) << "as slow as before";
  EXPECT_DOUBLE_EQ(scaler.look(look(10, 90, 1)).saturation, 0.9) << "slower, at the same throughput";
  EXPECT_DOUBLE_EQ(scaler.look(look(11, 900, 1)).saturation, 1.0);
}

TEST(Autoscaler, TwoLooksAboveTheTargetTakeAFifthOfTheUsersAndThenItWaits) {
  Autoscaler scaler(rules_of(AutoscalerMode::kQos), 1000);
  for (int i = 0; i < 9; ++i) scaler.look(look(i, 10.0 * (i + 1), 1));
  const uint32_t before = scaler.users();
  EXPECT_EQ(scaler.look(look(9, 100, 1)).act, ScalingAct::kHold) << "once above";
  EXPECT_EQ(scaler.look(look(10, 110, 1)).act, ScalingAct::kDown);
  EXPECT_EQ(scaler.users(), static_cast<uint32_t>(before * 0.8 + 0.5));
  for (int i = 11; i < 14; ++i) EXPECT_EQ(scaler.look(look(i, 120 + i, 1)).act, ScalingAct::kHold) << i;
  EXPECT_EQ(scaler.look(look(14, 140, 1)).act, ScalingAct::kHold);
  EXPECT_EQ(scaler.look(look(15, 150, 1)).act, ScalingAct::kDown);
}

TEST(Autoscaler, ByThroughputUsersComeWhileThatHelpsAndTwoLooksWithoutPeakEndIt) {
  Autoscaler scaler(rules_of(AutoscalerMode::kCapacity), 100);
  EXPECT_EQ(scaler.look(look(1, 1, 1000)).users, 140u) << "40 % at first";
  EXPECT_EQ(scaler.look(look(2, 1, 1100)).users, 168u) << "then 20 %";
  EXPECT_EQ(scaler.look(look(3, 1, 1105)).act, ScalingAct::kHold) << "less than 1 % more is no peak";
  EXPECT_FALSE(scaler.is_stopped());
  const ScalingTick last = scaler.look(look(4, 1, 1100));
  EXPECT_EQ(last.act, ScalingAct::kStop);
  EXPECT_EQ(last.peak_tokens_per_s, 1100);
  EXPECT_TRUE(scaler.is_stopped());
}

TEST(Autoscaler, StepsAndUsersHaveLimits) {
  EXPECT_EQ(Autoscaler(rules_of(AutoscalerMode::kCapacity), 2).look(look(1, 1, 1)).users, 7u) << "at least 5";
  EXPECT_EQ(Autoscaler(rules_of(AutoscalerMode::kCapacity), 5000).look(look(1, 1, 1)).users, 5100u) << "at most 100";
  ScalingRules rules = rules_of(AutoscalerMode::kQos);
  rules.most = 105;
  EXPECT_EQ(Autoscaler(rules, 100).look(look(1, 1, 1)).users, 105u);
}

}  // namespace
}  // namespace mlps::kvcache
