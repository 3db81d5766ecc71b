#pragma once

#include <time.h>

#include <cstdint>
#include <string>

namespace mlps {

/// Nanoseconds of the monotonic clock, the source of every duration in this program; wall-clock time is for stamps
/// only.
using Nanos = int64_t;

inline Nanos now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<Nanos>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

inline double to_seconds(Nanos ns) {
  return static_cast<double>(ns) * 1e-9;
}

/// One moment on both clocks. The wall clock is read once, at the first moment of the process; every later one is that
/// and the monotonic time since, so that a clock that is set in a run turns no order and no duration around.
struct Stamp {
  Nanos monotonic_ns = 0;
  int64_t wall_us = 0;  ///< microseconds since the epoch, UTC
  static Stamp now();
  /// Of two moments of one host, whether the first is the earlier one.
  friend bool operator<(const Stamp& one, const Stamp& other) { return one.monotonic_ns < other.monotonic_ns; }
};

/// Returns local time without zone, "2026-07-04T05:00:40.123456", the form of DLIO's result files.
std::string iso_local(int64_t wall_us);
/// Returns UTC, "2026-07-04T05:00:40Z".
std::string iso_utc(int64_t wall_us);
/// Returns local time as "20260704_050040", the name of a run folder.
std::string run_stamp(int64_t wall_us);
/// Returns local time as "2026-07-04 05:00:40", the head of a log line.
std::string log_stamp(int64_t wall_us);

}  // namespace mlps
