#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/sync.hpp"

namespace mlps::world {

/// The failure that all threads of a run share: the first cause wins and stays. Every wait without a deadline must end
/// when a failure is raised; on_raise() is how its waker learns of one. Any thread may raise or ask.
template <class Sync>
class BasicFailure {
 public:
  /// Records `error` if it is the first, and runs the listeners once. `rank` is the one it happened to, where known.
  void raise(Error error, std::optional<uint32_t> rank = std::nullopt) {
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

  bool raised() const { return raised_.load(std::memory_order_acquire); }

  std::optional<Error> first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

  /// Returns the rank of the first cause: unset if it was raised without one, or on another host, whose message names
  /// the rank.
  std::optional<uint32_t> rank() const {
    const std::lock_guard lock(mutex_);
    return rank_;
  }

  struct Unsubscribe {
    uint64_t id = 0;
    void operator()(BasicFailure* failure) const {
      const std::lock_guard lock(failure->listeners_mutex_);
      failure->listeners_.erase(id);
    }
  };
  /// Keeps a listener registered. Its end waits for a call under way, so what the listener uses may be destroyed after
  /// it.
  using Subscription = std::unique_ptr<BasicFailure, Unsubscribe>;

  /// Calls `listener` once when a failure is raised (at once, if one already was), on the raising thread. It must be
  /// quick, and neither raise nor subscribe.
  [[nodiscard]] Subscription on_raise(std::function<void()> listener) {
    const std::lock_guard lock(listeners_mutex_);
    // Either raise() has not reached the listeners yet and will find this one, or it is over and we call it here.
    if (raised()) {
      listener();
      return {};
    }
    listeners_.emplace(next_id_, std::move(listener));
    return {this, Unsubscribe{next_id_++}};
  }

 private:
  mutable typename Sync::Mutex mutex_;
  typename Sync::template Atomic<bool> raised_{false};
  std::optional<Error> first_;
  std::optional<uint32_t> rank_;

  typename Sync::Mutex listeners_mutex_;  // held while listeners run
  std::map<uint64_t, std::function<void()>> listeners_;
  uint64_t next_id_ = 0;
};

using Failure = BasicFailure<RealSync>;

}  // namespace mlps::world
