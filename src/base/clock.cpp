#include "base/clock.hpp"

#include <fmt/format.h>

namespace mlps {
namespace {

std::string formatted(int64_t wall_us, tm* (*split)(const time_t*, tm*), const char* pattern) {
  const time_t seconds = wall_us / 1'000'000;
  tm parts{};
  split(&seconds, &parts);
  char text[64];
  return std::string(text, strftime(text, sizeof text, pattern, &parts));
}

Stamp both_clocks() {
  timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  return {now_ns(), static_cast<int64_t>(wall.tv_sec) * 1'000'000 + wall.tv_nsec / 1000};
}

}  // namespace

Stamp Stamp::now() {
  static const Stamp start = both_clocks();
  const Nanos now = now_ns();
  return {now, start.wall_us + (now - start.monotonic_ns) / 1000};
}

std::string iso_local(int64_t wall_us) {
  return formatted(wall_us, localtime_r, "%Y-%m-%dT%H:%M:%S") + fmt::format(".{:06d}", wall_us % 1'000'000);
}

std::string iso_utc(int64_t wall_us) {
  return formatted(wall_us, gmtime_r, "%Y-%m-%dT%H:%M:%SZ");
}

std::string run_stamp(int64_t wall_us) {
  return formatted(wall_us, localtime_r, "%Y%m%d_%H%M%S");
}

std::string log_stamp(int64_t wall_us) {
  return formatted(wall_us, localtime_r, "%Y-%m-%d %H:%M:%S");
}

}  // namespace mlps
