#pragma once

#include <cstdint>

#include "base/sync.hpp"

namespace mlps {

/// Wakes threads that wait for "something may have changed". A notification costs one atomic addition while nobody
/// sleeps. The waiter takes a key with prepare_wait(), looks at what it waits for, and then waits for the next
/// notification after that key, so none is ever lost. Any thread may call anything.
template <class Sync>
class BasicEventCount {
 public:
  using Key = uint32_t;

  Key prepare_wait() const { return notifications_.load(std::memory_order_seq_cst); }

  /// Ends the waits of up to `count` sleeping threads. A thread that has taken its key before and does not sleep yet
  /// will not sleep, and is not counted.
  void notify(uint32_t count = UINT32_MAX) {
    notifications_.fetch_add(1, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) != 0) Sync::futex_wake(notifications_, count);
  }

  /// Returns when there was a notification since `key`, or at `deadline_ns` of the monotonic clock; may return early.
  /// Without a deadline the shared failure must notify, too.
  void wait(Key key, Nanos deadline_ns = kNoDeadline) {
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    if (notifications_.load(std::memory_order_seq_cst) == key) Sync::futex_wait(notifications_, key, deadline_ns);
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// As wait(), where the notification is likely to come within microseconds: sleeping and waking cost more than that,
  /// so the thread gives the processor away a few times first.
  void wait_briefly(Key key) {
    for (int i = 0; i < Sync::kYields; ++i) {
      if (prepare_wait() != key) return;
      Sync::yield();
    }
    wait(key);
  }

 private:
  alignas(64) typename Sync::template Atomic<uint32_t> notifications_{0};
  typename Sync::template Atomic<uint32_t> sleeping_{0};
};

using EventCount = BasicEventCount<RealSync>;

}  // namespace mlps
