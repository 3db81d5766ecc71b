#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/waiting.hpp"

namespace mlps::world {

/// The failure state all ranks share: the first cause wins and stays. Any thread may raise or ask.
class Failure {
 public:
  /// Records `error` if it is the first, and runs the listeners once. `rank` is the one it happened to, where known.
  void raise(Error error, std::optional<uint32_t> rank = std::nullopt);
  bool raised() const { return raised_.load(std::memory_order_acquire); }
  std::optional<Error> first() const;
  /// The rank of the first cause: unset if nobody said, or if it came from another host, whose message names it.
  std::optional<uint32_t> rank() const;

  /// Keeps a listener registered. Its destructor waits for a call under way, so what the listener uses may go after it.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Failure& failure, uint64_t id) : failure_(&failure), id_(id) {}
    Subscription(Subscription&& other) noexcept : failure_(std::exchange(other.failure_, nullptr)), id_(other.id_) {}
    Subscription& operator=(Subscription&& other) noexcept {
      std::swap(failure_, other.failure_);
      std::swap(id_, other.id_);
      return *this;
    }
    ~Subscription();

   private:
    Failure* failure_ = nullptr;
    uint64_t id_ = 0;
  };

  /// `listener` runs once when a failure is raised (at once, if it already was), on the raising thread. It must be
  /// quick, and neither raise nor subscribe.
  [[nodiscard]] Subscription on_raise(std::function<void()> listener);

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> raised_{false};
  std::optional<Error> first_;
  std::optional<uint32_t> rank_;

  std::mutex listeners_mutex_;  // held while listeners run
  std::map<uint64_t, std::function<void()>> listeners_;
  uint64_t next_id_ = 0;
};

/// The ranks of one host, and how it meets the other hosts of the run.
struct LocalRanks {
  uint32_t first_rank = 0;
  uint32_t ranks = 1;
  uint32_t total_ranks = 1;
  uint32_t host = 0;
  uint32_t hosts = 1;
  /// Returns when every host has called it, or fails; called by one thread at a time. Unset on one host.
  std::function<Status()> meet = {};
};

/// The ranks of this run: threads of one process on each host. A barrier has two levels: the threads of a host, then
/// the hosts.
class World {
 public:
  /// All ranks on one host.
  explicit World(uint32_t ranks);
  /// One host of several, which share `failure`; it must live longer.
  World(LocalRanks share, Failure& failure);

  uint32_t size() const { return share_.total_ranks; }       ///< ranks of all hosts
  uint32_t first_rank() const { return share_.first_rank; }  ///< of this host
  uint32_t local_ranks() const { return share_.ranks; }
  uint32_t host() const { return share_.host; }
  uint32_t hosts() const { return share_.hosts; }
  Failure& failure() { return failure_; }

  /// Waits until every rank of every host is here. Returns false, on every rank, once a failure was raised: nobody
  /// waits for a rank that will not come. Called by each of the local ranks.
  bool barrier();

  /// The second level alone, for a thread that stands for all local ranks. False once a failure was raised.
  bool meet_hosts();

  /// What one of them costs when nobody is late: the mean of a few with nothing between. barrier_cost() is called by
  /// each of the local ranks, meeting_cost() by the thread that stands for them. 0 once a failure was raised.
  Nanos barrier_cost();
  Nanos meeting_cost();

  /// Sleeps for `seconds`, or until a failure; false in that case.
  bool pause(double seconds);

 private:
  void listen();

  const LocalRanks share_;
  Failure own_failure_;
  Failure& failure_;
  std::mutex mutex_;
  Condition changed_;
  uint32_t arrived_ = 0;
  uint64_t generation_ = 0;
  Failure::Subscription wake_;
};

}  // namespace mlps::world
