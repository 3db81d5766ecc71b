#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "base/clock.hpp"

namespace {

std::atomic<time_t> set_back_s{0};

}  // namespace

// Stands for the C library's in this program: somebody sets the wall clock.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long failed = ::syscall(SYS_clock_gettime, clock, time);
  if (failed == 0 && clock == CLOCK_REALTIME) time->tv_sec -= set_back_s;
  return static_cast<int>(failed);
}

namespace mlps {
namespace {

TEST(Stamp, StaysInOrderWhenTheWallClockIsSetBack) {
  const Stamp start = Stamp::now();
  set_back_s = 3600;
  const Stamp end = Stamp::now();
  set_back_s = 0;
  EXPECT_GE(end.wall_us, start.wall_us);
  // As far apart as they were.
  EXPECT_NEAR(static_cast<double>(end.wall_us - start.wall_us),
              static_cast<double>(end.monotonic_ns - start.monotonic_ns) / 1000, 1);
}

}  // namespace
}  // namespace mlps
