#pragma once

#include <atomic>

#include "base/clock.hpp"
#include "base/periodic_thread.hpp"

namespace mlps {

/// Measures how long this process as a whole could not run: stopped by a signal, over its quota of processor time, or
/// on a machine that was itself suspended. A thread wakes a hundred times a second, and what it wakes too late is lost.
/// A processor that is merely shared delays it little; that shows in the times of the threads that share it.
class StallMeter {
 public:
  /// Starts the thread, once; before that nothing is lost. `on_error` is ThreadPurpose::on_error.
  Status start(std::function<void(Error)> on_error);

  /// Returns the time lost until `now`, since start(): of wake-ups that came 2 ms or more too late, which is beyond
  /// what it takes on an idle processor. Any thread.
  Nanos lost_ns(Nanos now) const { return lost_.until(due_ns_.load(std::memory_order_relaxed), now); }
  /// Returns the part of it in which nothing ran at all, not even threads that keep every processor busy: of wake-ups
  /// that came 200 ms or more too late. Any thread.
  Nanos stopped_ns(Nanos now) const { return stopped_.until(due_ns_.load(std::memory_order_relaxed), now); }

 private:
  /// Sums up lateness of at least so much. Written by the meter's thread.
  struct Sum {
    const Nanos least;
    std::atomic<Nanos> ns{0};
    // Other threads may wake from a stall before the meter's does: what is overdue counts already.
    Nanos until(Nanos due, Nanos now) const {
      const Nanos late = due == 0 ? 0 : now - due;
      return ns.load(std::memory_order_relaxed) + (late >= least ? late : 0);
    }
  };
  void tick(Nanos now);

  Sum lost_{2'000'000};
  Sum stopped_{200'000'000};
  std::atomic<Nanos> due_ns_{0};  // of the next wake-up; 0: not started
  PeriodicThread thread_;
};

}  // namespace mlps
