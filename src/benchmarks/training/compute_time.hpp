#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::training {

/// Draws of one rank's durations: reproducible from (seed, rank), independent between ranks. Not thread-safe.
class TimeSampler {
 public:
  TimeSampler(const workloads::TimeDistribution& distribution, uint64_t seed, uint32_t rank);
  /// The next duration, never negative; a constant costs nothing.
  Nanos draw();

 private:
  workloads::TimeDistribution distribution_;
  Nanos constant_ns_ = 0;
  uint64_t state_;
};

/// "0.162 s", "normal(0.5 s, 0.1 s)": for plans and logs.
std::string describe(const workloads::TimeDistribution& distribution);

}  // namespace mlps::training
