#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.hpp"
#include "base/periodic_thread.hpp"
#include "world/host_counters.hpp"
#include "world/world.hpp"

namespace mlps::world {

struct SamplerSettings {
  double interval_s = 10;             ///< above 0
  uint32_t max_samples = 3600;        ///< at least 2: the first and the last
  uint64_t max_bytes = 64ull << 20U;  ///< of memory for samples: hosts may have thousands of devices
};

/// Samples of one host over one run, in the order of time; the first and the last are from its very start and end.
struct TimeSeries {
  double requested_interval_s = 0;
  double interval_s = 0;       ///< between two samples that were kept, except before the last one
  uint64_t samples_taken = 0;  ///< including those that were not kept
  Nanos cost_ns = 0;           ///< processor time of taking them all
  std::vector<HostSample> samples;
};

/// Keeps the samples of a long run in bounded memory: once there are too many, every second one is dropped and the
/// interval doubles. Ticks count requested intervals from the start; ticks of kept samples are multiples of step().
class SampleKeeper {
 public:
  explicit SampleKeeper(const SamplerSettings& settings) : settings_(settings) {}

  /// Adds the sample of `tick`, which must be later than those before.
  void add(uint64_t tick, HostSample sample);
  /// Adds the last sample, which is always kept, and returns all that were kept.
  std::vector<HostSample> finish(HostSample last);

  uint64_t step() const { return step_; }
  size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    uint64_t tick;
    HostSample sample;
  };
  bool is_too_much() const;
  void thin();

  const SamplerSettings settings_;
  uint64_t step_ = 1;
  uint64_t bytes_ = 0;
  std::vector<Kept> kept_;
};

/// Takes a sample at once, then one every interval on a thread of its own, and a last one when it is stopped. Nothing
/// of the run waits for it. A sample that would come too late is left out.
class Sampler {
 public:
  using Reader = std::function<HostSample()>;

  /// Takes the first sample before it returns. `read` is called by one thread at a time. A thread that can't be started
  /// is raised as a failure.
  Sampler(const SamplerSettings& settings, Reader read, Failure& failure);
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Ends the thread at once (waits at most for a sample under way), takes the last sample, and returns all. To be
  /// called once.
  TimeSeries stop();

 private:
  HostSample timed_read();
  Nanos time_of(uint64_t tick) const;
  Nanos next_ns();

  const SamplerSettings settings_;
  const Reader read_;
  SampleKeeper keeper_;
  const Nanos start_ns_;
  TimeSeries series_;
  uint64_t tick_ = 0;  // of the next sample
  PeriodicThread thread_;
};

}  // namespace mlps::world
