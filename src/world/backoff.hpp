#pragma once

#include <sched.h>

#include <algorithm>

#include "base/waiting.hpp"

namespace mlps::world {

/// Paces the polling for messages of other processes, which can't wake a thread: without sleep at first, so that a
/// barrier costs microseconds, then with sleeps of an eighth of the time waited, a millisecond at most.
class Backoff {
 public:
  /// To be called when a message came, since more may follow soon.
  void reset() { begin_ns_ = now_ns(); }

  void pause() {
    const Nanos waited = now_ns() - begin_ns_;
    if (waited < kSpinNs) {
      ::sched_yield();  // others may need this core to get the message on its way
      return;
    }
    sleep_for(std::clamp<Nanos>(waited / 8, 20'000, 1'000'000));
  }

 private:
  static constexpr Nanos kSpinNs = 100'000;
  Nanos begin_ns_ = now_ns();
};

}  // namespace mlps::world
