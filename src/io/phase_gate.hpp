#pragma once

#include <cstdint>
#include <mutex>

#include "base/sync.hpp"

namespace mlps::io {

/// How the I/O threads of a process begin and end a phase of work together. One thread, the owner, begins phases, waits
/// for their end, and stops the threads at last; every I/O thread goes through every phase:
///
///     while (gate.enter(phase)) { work; gate.drained(); if (failed) { gate.wait_drained(); clean up; } gate.leave(); }
///
/// Every thread calls drained(), whether it saw a failure or not; so no thread waits for one that left before a failure
/// was raised. Nothing here knows of failures; what a thread does between enter() and drained()
/// must end soon after one.
template <class Sync>
class BasicPhaseGate {
 public:
  explicit BasicPhaseGate(uint32_t threads) : threads_(threads) {}

  // ---- the owner

  /// All threads enter the next phase; the one before has ended.
  void begin() {
    const std::lock_guard lock(mutex_);
    ++phase_;
    working_ = inside_ = threads_;
    changed_.notify_all();
  }
  /// Waits until every thread has left the phase, if one was begun.
  void wait_idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == 0; });
  }
  /// Threads leave instead of waiting for another phase.
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  // ---- I/O threads

  /// Waits for a phase after `seen`, which becomes its number. Returns false once there will be none.
  bool enter(uint64_t& seen) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || phase_ != seen; });
    if (phase_ == seen) return false;
    seen = phase_;
    return true;
  }
  /// This thread has nothing in flight any more.
  void drained() {
    const std::lock_guard lock(mutex_);
    if (--working_ == 0) changed_.notify_all();
  }
  /// Waits until that holds for all threads.
  void wait_drained() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return working_ == 0; });
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) changed_.notify_all();
  }

 private:
  const uint32_t threads_;
  typename Sync::Mutex mutex_;
  typename Sync::Condition changed_;
  uint64_t phase_ = 0;
  uint32_t working_ = 0;  // threads that may have something in flight
  uint32_t inside_ = 0;   // threads that have not left the phase
  bool stopped_ = false;
};

using PhaseGate = BasicPhaseGate<RealSync>;

}  // namespace mlps::io
