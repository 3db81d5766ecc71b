#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "base/periodic_thread.hpp"
#include "benchmarks/training/extent_reader.hpp"
#include "benchmarks/training/run.hpp"
#include "benchmarks/training/step_loop.hpp"

namespace mlps::training {

/// Reports the progress of the run to a display, twice a second, from a thread that only reads counters.
class ProgressMeter {
 public:
  ProgressMeter(const RunPlan& plan, const StepLoop& step_loop, const Readers& readers,
                std::function<void(const Progress&)> display, world::Failure& failure);

  /// The run is in `phase` of `epoch` from now on.
  void enter(uint32_t epoch, std::string phase);

 private:
  void tick();
  Progress measure();

  const RunPlan& plan_;
  const StepLoop& step_loop_;
  const Readers& readers_;
  const std::function<void(const Progress&)> display_;

  std::mutex mutex_;
  Progress now_;
  Nanos last_tick_ns_;
  uint64_t last_step_ = 0;
  uint64_t last_bytes_ = 0;
  PeriodicThread thread_;
};

}  // namespace mlps::training
