#include "base/stall_meter.hpp"

#include <gtest/gtest.h>

namespace mlps {
namespace {

TEST(StallMeter, NothingIsLostBeforeItHasStarted) {
  const StallMeter meter;
  EXPECT_EQ(meter.lost_ns(now_ns()), 0);
}

TEST(StallMeter, AWakeUpThatIsOverdueIsLostTimeAlready) {
  StallMeter meter;
  ASSERT_TRUE(meter.start({}));
  const Nanos later = now_ns() + 1'000'000'000;  // as if its thread had slept until then
  EXPECT_GE(meter.lost_ns(later), 900'000'000);
  EXPECT_GE(meter.stopped_ns(later), 900'000'000);
}

TEST(StallMeter, WhatBusyProcessorsDelayIsLostButNotStopped) {
  StallMeter meter;
  ASSERT_TRUE(meter.start({}));
  const Nanos stopped = meter.stopped_ns(now_ns());
  const Nanos later = now_ns() + 100'000'000;
  EXPECT_GE(meter.lost_ns(later), 50'000'000);
  EXPECT_EQ(meter.stopped_ns(later), stopped);
}

}  // namespace
}  // namespace mlps
