#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace mlps {

/// Processor time of the whole process since its start.
struct CpuTime {
  double user_s = 0;
  double system_s = 0;
  static CpuTime of_process();
  /// Adds what the process has used since this moment.
  void add_since(double& user, double& system) const;
};

/// Returns the processor time of the calling thread so far. Waiting for a busy processor costs nothing.
Nanos thread_cpu_ns();

/// Returns the peak resident memory of this process, in bytes.
uint64_t peak_rss_bytes();

}  // namespace mlps
