#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace mlps {

/// Wakes threads that wait for "something may have changed". Ringing costs one atomic addition while nobody sleeps.
/// The waiter reads heard(), looks at what it waits for, and then waits for the next ring after that reading, so no
/// ring is ever lost. Any thread may call anything.
class Bell {
 public:
  uint32_t heard() const { return rings_.load(std::memory_order_seq_cst); }

  /// Wakes up to `sleepers` threads.
  void ring(uint32_t sleepers = UINT32_MAX) {
    rings_.fetch_add(1, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) != 0) wake(sleepers);
  }

  /// Returns when the bell has rung since `heard`, or at `deadline_ns` of the monotonic clock; may return early.
  void wait(uint32_t heard, Nanos deadline_ns = kNever);

  static constexpr Nanos kNever = INT64_MAX;

 private:
  void wake(uint32_t sleepers);

  alignas(64) std::atomic<uint32_t> rings_{0};
  std::atomic<uint32_t> sleeping_{0};
};

/// Lets the processor rest for a moment in a loop that waits for nanoseconds.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace mlps
