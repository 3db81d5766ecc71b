#include "benchmarks/kvcache/progress.hpp"

#include <gtest/gtest.h>

namespace mlps::kvcache {
namespace {

/// Two options of two trials, of 10 s and of 30 s, with 20 s between them.
Settings two_options() {
  Settings settings;
  settings.options.resize(2);
  settings.options[0].duration_s = 10;
  settings.options[1].duration_s = 30;
  settings.trials = 2;
  settings.inter_option_delay_s = 20;
  return settings;
}

TEST(WindowsDone, CountsWindowsByTheirLengthAndPausesThatAreLeft) {
  const auto at = [](uint64_t windows, double elapsed) {
    return windows_done(two_options(), windows, elapsed).value();
  };
  EXPECT_DOUBLE_EQ(at(0, 0).share, 0);
  EXPECT_DOUBLE_EQ(at(0, 0).left_s, 80 + 20);
  EXPECT_DOUBLE_EQ(at(1, 5).share, 15.0 / 80);
  EXPECT_DOUBLE_EQ(at(1, 5).left_s, 65 + 20);
  EXPECT_DOUBLE_EQ(at(3, 30).share, 1);
  EXPECT_DOUBLE_EQ(at(3, 30).left_s, 0);
  EXPECT_DOUBLE_EQ(at(3, 99).left_s, 0) << "a window that is over its time";
}

TEST(WindowsDone, IsNotKnownOfAWindowThatEndsWithItsRequests) {
  Settings settings = two_options();
  settings.options[1].duration_s = 0;
  EXPECT_FALSE(windows_done(settings, 0, 0).has_value());
}

}  // namespace
}  // namespace mlps::kvcache
