#include "benchmarks/training/wakeup_latency.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace mlps::training {
namespace {

/// The kernel's struct sched_attr, first version; the C library has no name for it.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t slice_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

constexpr uint64_t kShortestSliceNs = 100'000;

}  // namespace

void request_low_wakeup_latency() {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  SchedulingAttributes attributes;
  attributes.nice = ::getpriority(PRIO_PROCESS, 0);  // of this thread; it stays as it is
  attributes.slice_ns = kShortestSliceNs;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

}  // namespace mlps::training
