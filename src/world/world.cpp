#include "world/world.hpp"

#include <algorithm>
#include <utility>

namespace mlps::world {
namespace {

constexpr double kLongestPause = 1e9;  // seconds

// The first one waits for those who are still starting.
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

void Failure::raise(Error error, std::optional<uint32_t> rank) {
  {
    const std::lock_guard lock(mutex_);
    if (first_) return;
    first_ = std::move(error);
    rank_ = rank;
    raised_.store(true, std::memory_order_release);
  }
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [id, listener] : listeners_) listener();
  listeners_.clear();
}

std::optional<Error> Failure::first() const {
  const std::lock_guard lock(mutex_);
  return first_;
}

std::optional<uint32_t> Failure::rank() const {
  const std::lock_guard lock(mutex_);
  return rank_;
}

Failure::Subscription Failure::on_raise(std::function<void()> listener) {
  const std::lock_guard lock(listeners_mutex_);
  // Either raise() has not reached the listeners yet and will find this one, or it is over and we call it here.
  if (raised()) {
    listener();
    return {};
  }
  listeners_.emplace(next_id_, std::move(listener));
  return {*this, next_id_++};
}

Failure::Subscription::~Subscription() {
  if (failure_ == nullptr) return;
  const std::lock_guard lock(failure_->listeners_mutex_);
  failure_->listeners_.erase(id_);
}

World::World(uint32_t ranks) : share_{0, ranks, ranks, 0, 1, {}}, failure_(own_failure_) {
  listen();
}

World::World(LocalRanks share, Failure& failure) : share_(std::move(share)), failure_(failure) {
  listen();
}

void World::listen() {
  wake_ = failure_.on_raise([this] {
    // Taking the mutex orders the wake-up after any waiter's check of raised().
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
}

bool World::barrier() {
  std::unique_lock lock(mutex_);
  if (failure_.raised()) return false;
  const uint64_t mine = generation_;
  if (++arrived_ == share_.ranks) {
    if (share_.meet) {
      // The others sleep until the generation changes, so nobody needs the lock meanwhile; a failure needs it to wake
      // them.
      lock.unlock();
      if (!meet_hosts()) return false;
      lock.lock();
    }
    arrived_ = 0;
    ++generation_;
    changed_.notify_all();
    return true;
  }
  changed_.wait(lock, [&] { return generation_ != mine || failure_.raised(); });
  // A barrier that completed counts, even if a failure came right after it; the next call tells.
  return generation_ != mine;
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
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, now_ns() + static_cast<Nanos>(std::min(seconds, kLongestPause) * 1e9),
                              [&] { return failure_.raised(); });
}

}  // namespace mlps::world
