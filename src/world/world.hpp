#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "world/failure.hpp"
#include "world/rank_barrier.hpp"

namespace mlps::world {

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

  /// Waits until every rank of every host has called it. Returns false, on every rank, once a failure was raised:
  /// nobody waits for a rank that will not come. Called by each of the local ranks.
  bool barrier();

  /// The second level alone, called by one thread for all local ranks. Returns false once a failure was raised.
  bool meet_hosts();

  /// Measure the cost of one of them when nobody is late: the mean of a few with nothing in between. barrier_cost() is
  /// called by each of the local ranks, meeting_cost() by one thread for all of them. 0 once a failure was raised.
  Nanos barrier_cost();
  Nanos meeting_cost();

  /// Sleeps for `seconds`, or until a failure is raised; returns false in that case.
  bool pause(double seconds);

 private:
  const LocalRanks share_;
  Failure own_failure_;
  Failure& failure_;
  RankBarrier local_;
};

}  // namespace mlps::world
