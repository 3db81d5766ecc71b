#include "base/clock.hpp"

#include <fmt/format.h>

namespace mlps {
namespace {

tm split(int64_t wall_us, bool utc) {
  const time_t seconds = wall_us / 1'000'000;
  tm parts{};
  if (utc) {
    gmtime_r(&seconds, &parts);
  } else {
    localtime_r(&seconds, &parts);
  }
  return parts;
}

std::string formatted(const tm& parts, const char* pattern) {
  char text[64];
  const size_t length = strftime(text, sizeof text, pattern, &parts);
  return std::string(text, length);
}

Stamp both_clocks() {
  timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  return {now_ns(), static_cast<int64_t>(wall.tv_sec) * 1'000'000 + wall.tv_nsec / 1000};
}

}  // namespace

Stamp Stamp::now() {
  // A wall clock that is set during a run must not make an end earlier than its start.
  static const Stamp first = both_clocks();
  const Nanos now = now_ns();
  return {now, first.wall_us + (now - first.monotonic_ns) / 1000};
}

std::string iso_local(int64_t wall_us) {
  return formatted(split(wall_us, false), "%Y-%m-%dT%H:%M:%S") + fmt::format(".{:06d}", wall_us % 1'000'000);
}

std::string iso_utc(int64_t wall_us) {
  return formatted(split(wall_us, true), "%Y-%m-%dT%H:%M:%SZ");
}

std::string run_stamp(int64_t wall_us) {
  return formatted(split(wall_us, false), "%Y%m%d_%H%M%S");
}

std::string log_stamp(int64_t wall_us) {
  return formatted(split(wall_us, false), "%Y-%m-%d %H:%M:%S");
}

}  // namespace mlps
