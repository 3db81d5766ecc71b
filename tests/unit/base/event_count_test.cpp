#include "base/event_count.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mlps {
namespace {

TEST(EventCount, AWaitEndsAtItsDeadlineWithoutARing) {
  EventCount event;
  const Nanos deadline = now_ns() + 2'000'000;
  event.wait(event.prepare_wait(), deadline);
  EXPECT_GE(now_ns(), deadline);
}

TEST(EventCount, ARingBeforeTheWaitIsNotLost) {
  EventCount event;
  const EventCount::Key key = event.prepare_wait();
  event.notify();
  event.wait(key);  // hangs if it is
  EXPECT_NE(event.prepare_wait(), key);
}

// Every thread sees the last value, and a lost wake-up shows as a test that hangs.
TEST(EventCount, WakesEveryWaiter) {
  EventCount event;
  std::atomic<int> value{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      for (;;) {
        const EventCount::Key key = event.prepare_wait();
        if (value.load() == 1000) return;
        event.wait(key);
      }
    });
  }
  for (int i = 1; i <= 1000; ++i) {
    value.store(i);
    event.notify();
  }
  for (std::thread& waiter : waiters) waiter.join();
}

}  // namespace
}  // namespace mlps
