#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "base/stall_meter.hpp"
#include "benchmarks/training/compute_time.hpp"
#include "benchmarks/training/metrics.hpp"
#include "benchmarks/training/prefetch_queue.hpp"
#include "benchmarks/training/record.hpp"
#include "io/series.hpp"
#include "world/world.hpp"

namespace mlps::training {

/// How far accelerators read ahead of the batch they ask for: so many batches, and a window of extents beyond them, but
/// no more than `most_extents` in all.
struct ReadAhead {
  uint64_t batches = 0;
  uint64_t window = 0;
  uint64_t most_extents = 0;
};

/// A stretch of steps between two stops: a block of an epoch, or an evaluation.
struct BlockRequest {
  uint64_t first_batch = 0;  ///< batches of this pass that every rank has taken before
  uint64_t steps = 0;
  bool barrier = true;  ///< after every step; an evaluation has none
  bool storage = true;  ///< false: nothing but this program is waited for
  ReadAhead ahead;
  MetricWindow window;  ///< and the size of a batch
  /// Called with the times of all ranks after each step; only with a barrier. May be empty.
  std::function<Status(const std::vector<StepTimes>&)> on_step;
};

struct BlockResult {
  std::vector<RankBlock> ranks;
  ClientTime client;
  bool finished = false;  ///< false: the run has failed
};

/// How the accelerators of a host do, for a look while they work. Times of all steps that have ended, in training and
/// evaluation, summed over the accelerators; `wall` is that of one.
struct LiveSteps {
  uint64_t step = 0;   ///< of the pass, that has ended
  uint64_t steps = 0;  ///< of the run
  Nanos wall_ns = 0, compute_ns = 0, wait_ns = 0, barrier_ns = 0;
  // Of the block:
  Nanos block_wall_ns = 0, block_compute_ns = 0, block_wait_ns = 0, slowest_wait_ns = 0;
  uint32_t slowest_rank = 0;  ///< of this host, from 0: that which has waited longest for data
};

/// Drives the steps of all accelerators of this host from one thread. An accelerator waits for a batch, then for the
/// end of its compute time, then for the others; so it is a row in a table, a barrier is a counter, and a step of 64
/// accelerators costs microseconds where threads would cost a hundred context switches. Where the run has
/// several hosts, their step loops meet at every barrier.
class StepLoop {
 public:
  /// `stalls` tells which part of a wait the process could not run in. The seconds of series() count from `origin`.
  StepLoop(PrefetchQueue& queue, world::World& world, const StallMeter& stalls, Nanos origin);

  /// Durations of the steps to come, one sampler per rank.
  void set_compute_time(const workloads::TimeDistribution& distribution, uint64_t seed);
  BlockResult run_block(const BlockRequest& request);

  /// What the accelerators did in every second.
  const io::Series& series() const { return series_; }

  /// From any thread. The step loop never waits for one who looks: what it can't tell then, it tells after its next
  /// step.
  LiveSteps live() const {
    const std::lock_guard lock(live_mutex_);
    return shown_;
  }

 private:
  /// A step of an accelerator, as far as it has come.
  struct Step {
    Nanos load_start = 0, compute_start = 0, drawn = 0, compute_end = 0;
    Nanos stored = 0;  ///< of the load: waiting for the storage while the process could run
    bool had_to_wait = false;

    StepTimes times() const {
      return {compute_start - load_start, compute_end - load_start, compute_end - compute_start};
    }
  };
  struct Rank {
    Step step;
    Nanos lost_before = 0;  ///< by the stall meter, when the load began
    uint64_t begun = 0;     ///< steps of this block
    RankBlock block;
    Nanos excluded_ns = 0;        ///< load and compute of the steps outside the metric window
    std::vector<StepTimes> last;  ///< of the last exclude_end steps, as a ring
  };
  struct Deadline {
    Nanos at;
    uint32_t rank;
    bool operator>(const Deadline& other) const { return at > other.at; }
  };

  void begin_all(Nanos now);
  void begin_step(uint32_t rank, Nanos now);
  uint64_t read_ahead(uint32_t rank);
  bool try_compute(uint32_t rank, Nanos now);
  void end_compute(uint32_t rank);
  void meet_and_release();
  void release(Nanos now, Nanos met);
  void book(Nanos started, Nanos now, Nanos met);
  void close_step(Rank& rank, const Step& step, Nanos now);
  void count(Rank& rank, const StepTimes& times);
  void show();
  void spread(Nanos from, Nanos to, Nanos io::Second::*member);
  BlockResult conclude(Nanos end);
  void wait_for_event(EventCount::Key key);
  void warm_up() const;
  void wait_until(Nanos deadline, EventCount::Key key);

  PrefetchQueue& queue_;
  world::World& world_;
  world::Failure& failure_;
  const StallMeter& stalls_;
  const Nanos origin_;
  io::Series series_;
  std::vector<Rank> ranks_;
  std::vector<TimeSampler> samplers_;
  std::vector<Deadline> deadlines_;  ///< a heap, earliest first
  std::vector<uint32_t> ready_;
  std::vector<Step> ended_;  ///< what the ranks have done when the next step begins
  std::vector<StepTimes> step_times_;
  const BlockRequest* request_ = nullptr;
  const ExtentMap* extents_ = nullptr;
  Stamp block_start_;
  Nanos step_start_ = 0;
  ClientTime client_;
  uint32_t arrived_ = 0;   ///< at the barrier
  uint32_t finished_ = 0;  ///< ranks that have done all their steps
  Nanos spin_ns_;          ///< before a deadline: how long to spin rather than sleep
  LiveSteps live_;
  mutable std::mutex live_mutex_;
  LiveSteps shown_;
};

}  // namespace mlps::training
