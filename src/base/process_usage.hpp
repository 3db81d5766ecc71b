#pragma once

#include <cstdint>

namespace mlps {

/// Processor time of the whole process since its start.
struct CpuTime {
  double user_s = 0;
  double system_s = 0;
  static CpuTime of_process();
};

/// Returns the peak resident memory of this process, in bytes.
uint64_t peak_rss_bytes();

}  // namespace mlps
