#include "base/bell.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mlps {
namespace {

TEST(Bell, AWaitEndsAtItsDeadlineWithoutARing) {
  Bell bell;
  const Nanos deadline = now_ns() + 2'000'000;
  bell.wait(bell.heard(), deadline);
  EXPECT_GE(now_ns(), deadline);
}

TEST(Bell, ARingBeforeTheWaitIsNotLost) {
  Bell bell;
  const uint32_t heard = bell.heard();
  bell.ring();
  bell.wait(heard);  // hangs if it is
  EXPECT_NE(bell.heard(), heard);
}

// Every thread sees the last value, and a lost wake-up shows as a test that hangs.
TEST(Bell, WakesEveryWaiter) {
  Bell bell;
  std::atomic<int> value{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      for (;;) {
        const uint32_t heard = bell.heard();
        if (value.load() == 1000) return;
        bell.wait(heard);
      }
    });
  }
  for (int i = 1; i <= 1000; ++i) {
    value.store(i);
    bell.ring();
  }
  for (std::thread& waiter : waiters) waiter.join();
}

}  // namespace
}  // namespace mlps
