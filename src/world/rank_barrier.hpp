#pragma once

#include <cstdint>
#include <mutex>

#include "base/sync.hpp"
#include "world/failure.hpp"

namespace mlps::world {

/// Where the rank threads of one host wait for each other, and where they pause. A failure ends every wait;
/// tests/models proves it for every interleaving.
template <class Sync>
class BasicRankBarrier {
 public:
  /// `failure` must outlive this.
  BasicRankBarrier(uint32_t ranks, BasicFailure<Sync>& failure) : ranks_(ranks), failure_(failure) {
    wake_ = failure_.on_raise([this] {
      // Taking the mutex orders the notification after any waiter's check of raised().
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
  }

  /// Waits until all ranks have called it. The last of them calls `meet_others` before anybody goes on. Returns false
  /// once a failure was raised, or when `meet_others` does; a barrier that completed before a failure returns true.
  template <class MeetOthers>
  bool arrive(const MeetOthers& meet_others) {
    std::unique_lock lock(mutex_);
    if (failure_.raised()) return false;
    const uint64_t mine = generation_;
    if (++arrived_ == ranks_) {
      // The others sleep until the generation changes, so nobody needs the lock meanwhile; a failure needs it to wake
      // them.
      lock.unlock();
      if (!meet_others()) return false;
      lock.lock();
      arrived_ = 0;
      ++generation_;
      changed_.notify_all();
      return true;
    }
    changed_.wait(lock, [&] { return generation_ != mine || failure_.raised(); });
    return generation_ != mine;
  }

  /// Sleeps until `deadline_ns`, or until a failure is raised; returns false in that case.
  bool pause_until(Nanos deadline_ns) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_until(lock, deadline_ns, [&] { return failure_.raised(); });
  }

 private:
  const uint32_t ranks_;
  BasicFailure<Sync>& failure_;
  typename Sync::Mutex mutex_;
  typename Sync::Condition changed_;
  uint32_t arrived_ = 0;
  uint64_t generation_ = 0;
  typename BasicFailure<Sync>::Subscription wake_;
};

using RankBarrier = BasicRankBarrier<RealSync>;

}  // namespace mlps::world
