#include "world/world.hpp"

#include <algorithm>
#include <utility>

namespace mlps::world {
namespace {

constexpr double kLongestPause = 1e9;  // seconds

// The first meeting, which waits for ranks that are still starting, is not measured.
template <class Meet>
Nanos mean_cost(int times, const Meet& meet) {
  if (!meet()) return 0;
  const Nanos begin = now_ns();
  for (int i = 0; i < times; ++i) {
    if (!meet()) return 0;
  }
  return (now_ns() - begin) / times;
}

}  // namespace

World::World(uint32_t ranks)
    : share_{0, ranks, ranks, 0, 1, {}}, failure_(own_failure_), local_(share_.ranks, failure_) {}

World::World(LocalRanks share, Failure& failure)
    : share_(std::move(share)), failure_(failure), local_(share_.ranks, failure_) {}

bool World::barrier() {
  return local_.arrive([this] { return !share_.meet || meet_hosts(); });
}

bool World::meet_hosts() {
  if (share_.meet) {
    if (Status met = share_.meet(); !met) failure_.raise(std::move(met.error()));
  }
  return !failure_.raised();
}

Nanos World::barrier_cost() {
  return mean_cost(4, [this] { return barrier(); });
}

Nanos World::meeting_cost() {
  return mean_cost(32, [this] { return meet_hosts(); });
}

bool World::pause(double seconds) {
  if (seconds <= 0) return !failure_.raised();
  return local_.pause_until(now_ns() + static_cast<Nanos>(std::min(seconds, kLongestPause) * 1e9));
}

}  // namespace mlps::world
