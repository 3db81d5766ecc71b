#include "base/waiting.hpp"

#include <algorithm>
#include <cerrno>

namespace mlps {

void sleep_for(Nanos duration_ns) {
  if (duration_ns <= 0) return;
  timespec left{duration_ns / 1'000'000'000, duration_ns % 1'000'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

int poll_until(std::span<pollfd> descriptors, Nanos deadline_ns) {
  constexpr Nanos kLongest = 1'000'000'000'000'000;  // ppoll() refuses times that no clock reaches
  const Nanos left = std::clamp<Nanos>(deadline_ns - now_ns(), 0, kLongest);
  const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
  const int ready = ::ppoll(descriptors.data(), descriptors.size(), &timeout, nullptr);
  return ready < 0 && errno == EINTR ? 0 : ready;
}

}  // namespace mlps
