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
  /// A wake-up is lost time if it comes `least` or more too late; 2 ms is beyond what it is on an idle processor.
  explicit StallMeter(Nanos least = 2'000'000) : least_(least) {}

  /// Starts the thread, once; before that nothing is lost. `on_error` is ThreadPurpose::on_error.
  Status start(std::function<void(Error)> on_error);

  /// Returns the time lost until `now`, since start(). Any thread.
  Nanos lost_ns(Nanos now) const;

 private:
  void tick(Nanos now);
  Nanos stall(Nanos due, Nanos now) const { return now - due >= least_ ? now - due : 0; }

  const Nanos least_;
  std::atomic<Nanos> lost_ns_{0};
  std::atomic<Nanos> due_ns_{0};  // of the next wake-up; 0: not started
  PeriodicThread thread_;
};

}  // namespace mlps
