#include "base/process_usage.hpp"

#include <sys/resource.h>
#include <time.h>

#include "base/units.hpp"

namespace mlps {
namespace {

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

}  // namespace

CpuTime CpuTime::of_process() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {seconds_of(usage.ru_utime), seconds_of(usage.ru_stime)};
}

void CpuTime::add_since(double& user, double& system) const {
  const CpuTime now = of_process();
  user += now.user_s - user_s;
  system += now.system_s - system_s;
}

Nanos thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<Nanos>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

uint64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * kKiB;
}

}  // namespace mlps
