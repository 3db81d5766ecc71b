#pragma once

#include <cstdint>

namespace mlps {

/// Processor time of the whole process so far.
struct CpuTime {
  double user_s = 0;
  double system_s = 0;
  static CpuTime of_process();
};

/// The most memory this process has had at any time, in bytes.
uint64_t peak_rss_bytes();

}  // namespace mlps
