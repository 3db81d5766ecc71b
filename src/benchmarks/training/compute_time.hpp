#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::training {

/// Draws the durations of one rank, reproducibly from (seed, rank) and independently of other ranks. For one thread.
class TimeSampler {
 public:
  TimeSampler(const workloads::TimeDistribution& distribution, uint64_t seed, uint32_t rank);
  /// Returns the next duration, which is never negative.
  Nanos draw();

 private:
  workloads::TimeDistribution distribution_;
  Nanos constant_ns_ = 0;
  uint64_t state_;
};

/// Returns "0.162 s" or "normal(0.5 s, 0.1 s)", for plans and logs.
std::string describe(const workloads::TimeDistribution& distribution);

/// Returns the mean of a distribution in seconds, by draws from it: none is negative, whatever its formula says.
double mean_seconds(const workloads::TimeDistribution& distribution);

}  // namespace mlps::training
