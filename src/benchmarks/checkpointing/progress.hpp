#pragma once

#include <functional>
#include <mutex>

#include "base/periodic_thread.hpp"
#include "benchmarks/checkpointing/run.hpp"
#include "io/object_pool.hpp"

namespace mlps::checkpointing {

/// Reports the progress of the run to a display, twice a second, from a thread that only reads counters.
class ProgressMeter {
 public:
  ProgressMeter(const CheckpointPlan& plan, const io::ObjectPool& pool, std::function<void(const Progress&)> display,
                world::Failure& failure);

  /// A checkpoint's interval is about to begin, or has ended after `seconds`. Called by the host's first rank.
  void enter(Phase phase, uint32_t checkpoint);
  void leave(double seconds);

 private:
  void tick();
  Progress measure();

  const CheckpointPlan& plan_;
  const io::ObjectPool& pool_;
  const std::function<void(const Progress&)> display_;

  std::mutex mutex_;
  Progress now_;
  uint64_t phase_start_bytes_ = 0;
  double finished_seconds_ = 0;  // of the phase's closed intervals
  Nanos entered_ns_ = 0;
  Nanos last_tick_ns_ = 0;
  uint64_t last_bytes_ = 0;
  PeriodicThread thread_;
};

/// "write 3/10  412.0 GiB of 1047.0 GiB  12.31 GiB/s  51.6 s left", at most 100 columns.
std::string progress_line(const Progress& progress);

}  // namespace mlps::checkpointing
