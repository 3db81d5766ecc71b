#include <gtest/gtest.h>

#include "base/event_count.hpp"
#include "sync.hpp"

namespace mlps::model {
namespace {

/// An event count as it must not be: who is about to sleep is not counted yet when notify() looks.
template <class Sync>
class CheckThenSleep {
 public:
  uint32_t prepare_wait() const { return notifications_.load(); }
  void notify(uint32_t count = UINT32_MAX) {
    notifications_.fetch_add(1);
    if (sleeping_.load() != 0) Sync::futex_wake(notifications_, count);
  }
  void wait(uint32_t key, int64_t deadline_ns = INT64_MAX) {
    if (notifications_.load() != key) return;
    Sync::futex_wait(notifications_, notifications_.load(), deadline_ns);  // the key of a moment too late
  }

 private:
  typename Sync::template Atomic<uint32_t> notifications_{0}, sleeping_{0};
};

/// `waiters` threads wait for a flag that one sets, or for each of `values` values.
template <class Event>
void flag_scenario(Execution& execution, int waiters, int values, int64_t deadline_ns) {
  struct Shared {
    Event event;
    Atomic<int> value{0};
  };
  const auto shared = std::make_shared<Shared>();
  for (int i = 0; i < waiters; ++i) {
    execution.thread("waiter " + std::to_string(i), [shared, values, deadline_ns] {
      for (;;) {
        const uint32_t key = shared->event.prepare_wait();
        if (shared->value.load() == values) return;
        shared->event.wait(key, deadline_ns);
      }
    });
  }
  execution.thread("notifier", [shared, values] {
    for (int i = 1; i <= values; ++i) {
      shared->value.store(i);
      shared->event.notify();
    }
  });
}

using Event = BasicEventCount<ModelSync>;

TEST(EventCountModel, NoWakeUpIsLost) {
  for (const auto& [waiters, values] : {std::pair{1, 1}, {1, 2}, {2, 1}, {2, 2}}) {
    const Options options{.max_preemptions = waiters + values > 3 ? 3 : -1};
    const Report report =
        explore(options, [&](Execution& execution) { flag_scenario<Event>(execution, waiters, values, INT64_MAX); });
    EXPECT_TRUE(report.proves()) << report.text();
    std::cout << waiters << " waiters, " << values << " values: " << report.text() << '\n';
  }
}

TEST(EventCountModel, DeadlinesEndWaitsAndAreNeverNeeded) {
  const Report report =
      explore({.needs_no_deadlines = true}, [](Execution& execution) { flag_scenario<Event>(execution, 1, 2, 1'000); });
  EXPECT_TRUE(report.proves()) << report.text();
}

TEST(EventCountModel, ADeadlineEndsAWaitThatNobodyNotifies) {
  const Report report = explore({}, [](Execution& execution) {
    const auto event = std::make_shared<Event>();
    execution.thread("waiter", [event] {
      event->wait(event->prepare_wait(), 500);
      check(ModelSync::now() == 500, "woke before its deadline");
    });
  });
  EXPECT_TRUE(report.proves()) << report.text();
}

// notify(n) may be counted down by nobody who is not asleep.
TEST(EventCountModel, OneOfTwoSleepersIsWokenByANotificationOfOne) {
  const Report report = explore({}, [](Execution& execution) {
    struct Shared {
      Event event;
      Atomic<int> tokens{0};
    };
    const auto shared = std::make_shared<Shared>();
    for (const char* name : {"taker 0", "taker 1"}) {
      execution.thread(name, [shared] {
        for (;;) {
          const uint32_t key = shared->event.prepare_wait();
          int left = shared->tokens.load();
          if (left > 0 && shared->tokens.compare_exchange_strong(left, left - 1)) return;
          if (left == 0) shared->event.wait(key);
        }
      });
    }
    execution.thread("giver", [shared] {
      for (int i = 0; i < 2; ++i) {
        shared->tokens.fetch_add(1);
        shared->event.notify(1);
      }
    });
  });
  EXPECT_TRUE(report.proves()) << report.text();
  std::cout << report.text() << '\n';
}

TEST(Explorer, FindsThePlantedLostWakeUp) {
  const Report report =
      explore({}, [](Execution& execution) { flag_scenario<CheckThenSleep<ModelSync>>(execution, 1, 1, INT64_MAX); });
  EXPECT_NE(report.failure.find("deadlock"), std::string::npos) << report.text();
  EXPECT_NE(report.failure.find("futex_wait"), std::string::npos) << report.text();
  const Report with_deadline = explore({.needs_no_deadlines = true}, [](Execution& execution) {
    flag_scenario<CheckThenSleep<ModelSync>>(execution, 1, 1, 1'000);
  });
  EXPECT_NE(with_deadline.failure.find("a lost wake-up"), std::string::npos) << with_deadline.text();
}

TEST(Explorer, FindsADeadlockOfTwoLocks) {
  const auto scenario = [](Execution& execution) {
    const auto locks = std::make_shared<std::array<Mutex, 2>>();
    for (const size_t first : {0U, 1U}) {
      execution.thread("locker", [locks, first] {
        const std::lock_guard one((*locks)[first]);
        const std::lock_guard other((*locks)[1 - first]);
      });
    }
  };
  EXPECT_NE(explore({}, scenario).failure.find("deadlock"), std::string::npos);
  EXPECT_TRUE(explore({.max_preemptions = 0}, scenario).proves());  // and that it takes one preemption
  EXPECT_FALSE(explore({.max_preemptions = 1}, scenario).proves());
}

TEST(Explorer, FindsALostUpdateAndAConditionWithoutALock) {
  const auto update = [](Execution& execution) {
    const auto value = std::make_shared<Atomic<int>>(0);
    for (int i = 0; i < 2; ++i) execution.thread("adder", [value] { value->store(value->load() + 1); });
    execution.at_end([value] { check(value->load() == 2, "an update was lost"); });
  };
  EXPECT_NE(explore({}, update).failure.find("an update was lost"), std::string::npos);
  const auto unlocked = [](Execution& execution) {
    struct Shared {
      Mutex mutex;
      Condition changed;
      Atomic<bool> done{false};
    };
    const auto shared = std::make_shared<Shared>();
    execution.thread("waiter", [shared] {
      std::unique_lock lock(shared->mutex);
      shared->changed.wait(lock, [&] { return shared->done.load(); });
    });
    execution.thread("setter", [shared] {
      shared->done.store(true);
      shared->changed.notify_all();
    });
  };
  EXPECT_NE(explore({}, unlocked).failure.find("deadlock"), std::string::npos);
}

// Every order of two threads' two writes each: 6 interleavings, of which sleep sets leave those that differ.
TEST(Explorer, TriesEveryOrderOnce) {
  const auto scenario = [](Execution& execution, bool same_object) {
    const auto objects = std::make_shared<std::array<Atomic<int>, 2>>();
    for (const size_t i : {0U, 1U}) {
      execution.thread("writer", [=] {
        (*objects)[same_object ? 0 : i].store(1);
        (*objects)[same_object ? 0 : i].store(2);
      });
    }
  };
  EXPECT_EQ(explore({}, [&](Execution& execution) { scenario(execution, true); }).executions, 6U);
  EXPECT_EQ(explore({}, [&](Execution& execution) { scenario(execution, false); }).executions, 1U);
}

}  // namespace
}  // namespace mlps::model
