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

/// Samples of one host over one run, in the order of time. First and last are from its very start and end.
struct TimeSeries {
  double requested_interval_s = 0;
  double interval_s = 0;       ///< between two samples that were kept; the last one comes when the run ends
  uint64_t samples_taken = 0;  ///< kept or not
  Nanos cost_ns = 0;           ///< processor time of taking them all
  std::vector<HostSample> samples;
};

/// Keeps a long run whole in bounded memory: once there are too many samples, every second one is dropped and the
/// interval doubles. Ticks count the requested interval from the start; those kept are multiples of step().
class SampleKeeper {
 public:
  explicit SampleKeeper(const SamplerSettings& settings) : settings_(settings) {}

  /// Adds the sample of `tick`, which is later than those before.
  void add(uint64_t tick, HostSample sample);
  /// Adds the last sample, which stays whatever its time, and gives all that were kept.
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

/// A thread of its own that takes a sample at once, then every interval, and a last one when it is stopped. Nothing of
/// the run waits for it. A sample that comes too late is left out, not caught up with.
class Sampler {
 public:
  using Reader = std::function<HostSample()>;

  /// The first sample is taken before this returns. `read` is called by one thread at a time.
  Sampler(const SamplerSettings& settings, Reader read, Failure& failure);
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Ends the thread at once (at most a sample under way is waited for), takes the last sample, and gives all. Once.
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
