#pragma once

#include <deque>
#include <functional>

#include "base/clock.hpp"
#include "base/histogram.hpp"
#include "base/periodic_thread.hpp"
#include "live/state.hpp"
#include "world/failure.hpp"

namespace mlps::live {

/// Sets the latencies of a state; those of nothing stay absent.
void set_latency(State& state, const Histogram& latency);
void set_commits(State& state, const Histogram& commits);

/// Reports twice a second how a run goes, from a thread that only reads counters.
class Meter {
 public:
  /// `fill` sets what the benchmark knows, also the sums `bytes` and `items`; it returns false while there is nothing
  /// to tell. The meter adds the rates over the last two seconds, the history and the time since `begin`. Both
  /// functions run on the meter's thread. A thread that can't be started is raised as a failure. Without a `show`
  /// nothing is done.
  Meter(Show show, Nanos begin, std::function<bool(State&)> fill, world::Failure& failure);

 private:
  /// What was counted at a moment.
  struct Sample {
    Nanos at = 0;
    double bytes = 0, items = 0;
  };

  void tick();
  void add_rates(Nanos now, State& state);

  const Show show_;
  const Nanos begin_;
  const std::function<bool(State&)> fill_;
  std::deque<Sample> samples_;  // of the last two seconds
  Sample second_;               // at the beginning of the current second
  std::vector<double> history_;
  PeriodicThread thread_;
};

}  // namespace mlps::live
