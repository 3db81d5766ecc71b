#pragma once

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "base/clock.hpp"

/// What the benchmarks of this folder share: the processor time of one thread, and where it runs.
namespace mlps::bench {

/// Processor seconds of the calling thread, in user mode and in the kernel.
struct Cpu {
  double user = 0;
  double system = 0;
  static Cpu now() {
    rusage usage = {};
    getrusage(RUSAGE_THREAD, &usage);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
  }
  double total() const { return user + system; }
};

/// Keeps the calling thread, and the processes it forks, on `count` processors from `first` on.
inline void pin(int first, int count) {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  for (int i = first; i < first + count; ++i) CPU_SET(i, &processors);
  if (count > 0) sched_setaffinity(0, sizeof processors, &processors);
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace mlps::bench
