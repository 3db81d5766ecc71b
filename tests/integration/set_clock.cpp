// A wall clock that somebody sets while a program runs, for LD_PRELOAD: SET_CLOCK="300:-3600,600:86400" puts it back by
// an hour 300 ms after the program has begun, and a day ahead after 600 ms. Other clocks stay as they are.
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

timespec real(clockid_t clock) {
  timespec now{};
  syscall(SYS_clock_gettime, clock, &now);
  return now;
}

long milliseconds() {
  const timespec now = real(CLOCK_MONOTONIC);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

time_t seconds_ahead() {
  static const long begin = milliseconds();
  const long passed = milliseconds() - begin;
  const char* text = std::getenv("SET_CLOCK");
  time_t ahead = 0;
  while (text != nullptr && *text != '\0') {
    char* end = nullptr;
    const long moment = std::strtol(text, &end, 10);
    if (*end != ':') break;
    const long seconds = std::strtol(end + 1, &end, 10);
    if (passed >= moment) ahead = seconds;
    text = *end == ',' ? end + 1 : nullptr;
  }
  return ahead;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const long failed = syscall(SYS_clock_gettime, clock, now);
  if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += seconds_ahead();
  return static_cast<int>(failed);
}

time_t time(time_t* now) noexcept {
  const time_t seconds = real(CLOCK_REALTIME).tv_sec + seconds_ahead();
  if (now != nullptr) *now = seconds;
  return seconds;
}

int gettimeofday(timeval* now, void* /*zone*/) noexcept {
  const timespec read = real(CLOCK_REALTIME);
  *now = {read.tv_sec + seconds_ahead(), read.tv_nsec / 1000};
  return 0;
}

}  // extern "C"
