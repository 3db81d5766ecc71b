#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "benchmarks/training/extent_reader.hpp"
#include "benchmarks/training/run.hpp"
#include "benchmarks/training/step_loop.hpp"
#include "io/series.hpp"
#include "live/meter.hpp"

namespace mlps::training {

/// Holds how long the parts of a run took so far, in seconds, and how many of them there were.
struct Pace {
  double steps_s = 0, evaluations_s = 0, saves_s = 0, others_s = 0;
  uint64_t steps = 0, evaluations = 0, saves = 0, epochs = 0;
};

/// Says where a run is: in epoch `epoch`, of which `step` steps have ended.
struct Position {
  uint32_t epoch = 0;
  uint64_t step = 0;
};

/// Returns how long the rest of a run takes at this pace: steps, evaluations and checkpoints of the plan, and what goes
/// before an epoch. A step, or an evaluation, of which none has ended yet takes its compute time. Nothing before
/// the first step.
std::optional<double> time_left(const RunPlan& plan, const Position& position, const Pace& pace,
                                double evaluation_s_by_plan);

/// Tells how a training run goes. Called by the thread of the step loop.
class ProgressMeter {
 public:
  /// What the meter reads; it outlives the meter.
  struct Sources {
    const StepLoop& step_loop;
    const Readers& readers;
    const io::SharedSeries& series;
  };
  ProgressMeter(const RunRequest& request, world::World& world, Sources sources);

  /// The run is in `phase` of `epoch` from now on: "train", "evaluate", "checkpoint", or something before them.
  void enter(uint32_t epoch, const std::string& phase);
  /// Of what the epoch is to read, so much is in page caches.
  void found_cached(std::optional<double> share);
  /// An epoch has ended with this AU.
  void leave(double au);

 private:
  struct Moment {
    Nanos at = 0;
    LiveSteps steps;
  };

  bool fill(live::State& state);
  void fill_accelerators(const LiveSteps& steps, live::State& state);
  Pace pace(Nanos now, const LiveSteps& steps) const;

  const RunRequest& request_;
  const Sources sources_;
  const uint32_t first_rank_, ranks_;
  live::State base_;  // what does not change
  double evaluation_s_ = 0;

  std::mutex mutex_;
  uint32_t epoch_ = 0;
  std::string phase_;
  Nanos entered_ns_ = 0;
  std::map<std::string, double> seconds_;  // in the phases that have ended
  std::map<std::string, uint64_t> times_;  // that they were entered
  std::vector<double> epoch_au_;
  std::optional<double> cached_share_;
  std::deque<Moment> moments_;  // of the last two seconds
  live::Meter meter_;
};

}  // namespace mlps::training
