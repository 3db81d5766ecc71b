#pragma once

#include <poll.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>

#include "base/clock.hpp"

/// The ways in which a thread of this program waits; there are no others (tests/waits.py). Beside them stands
/// EventCount, for waits on the way of every I/O operation. Every wait has a deadline, or whoever raises the shared
/// failure ends it; docs/protocols.md lists them all.
namespace mlps {

/// The deadline of a wait that something else than time ends.
inline constexpr Nanos kNoDeadline = INT64_MAX;

/// A condition variable with deadlines of the monotonic clock. Any thread may call anything.
class Condition {
 public:
  void notify_all() { condition_.notify_all(); }

  /// Waits until `done()`, which runs with the lock held. Somebody must make it true after a failure, too.
  template <class Done>
  void wait(std::unique_lock<std::mutex>& lock, Done done) {
    condition_.wait(lock, done);
  }

  /// Waits until `done()`, or until `deadline_ns`; returns done().
  template <class Done>
  bool wait_until(std::unique_lock<std::mutex>& lock, Nanos deadline_ns, Done done) {
    return condition_.wait_until(lock, std::chrono::steady_clock::time_point(std::chrono::nanoseconds(deadline_ns)),
                                 done);
  }

 private:
  std::condition_variable condition_;
};

/// Sleeps for a bounded time where no event can tell that it is over.
void sleep_for(Nanos duration_ns);

/// poll(2) with a deadline: how many descriptors are ready, 0 at the deadline or after a signal, -1 for an error.
int poll_until(std::span<pollfd> descriptors, Nanos deadline_ns);

/// Lets the processor rest for a moment in a loop that waits for nanoseconds.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace mlps
