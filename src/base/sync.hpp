#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>
#include <mutex>

#include "base/clock.hpp"
#include "base/waiting.hpp"

namespace mlps {

/// The primitives that a waiting protocol is written with, so that tests/models can run the same code under a
/// scheduler that tries every interleaving. A protocol is a template over `Sync` and uses nothing else for what its
/// threads share; RealSync is what the program runs with.
struct RealSync {
  template <class T>
  using Atomic = std::atomic<T>;
  using Mutex = std::mutex;
  using Condition = mlps::Condition;

  static Nanos now() { return now_ns(); }

  /// How often a thread gives the processor away before it sleeps for something that comes within microseconds.
  static constexpr int kYields = 4;
  static void yield() { ::sched_yield(); }

  /// Sleeps while `word` holds `expected`, until futex_wake() or `deadline_ns`; may return early.
  static void futex_wait(std::atomic<uint32_t>& word, uint32_t expected, Nanos deadline_ns);
  /// Wakes up to `count` threads that sleep on `word`, in the order in which they came.
  static void futex_wake(std::atomic<uint32_t>& word, uint32_t count);
};

}  // namespace mlps
