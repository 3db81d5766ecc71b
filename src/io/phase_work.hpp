#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "io/rank_queue.hpp"

namespace mlps::io {

/// The work of one phase, such as the writing of one checkpoint: a rank queue for every rank of this host. Any I/O
/// thread takes the next step of any queue; threads that find nothing to take sleep here.
template <class Sync>
class BasicPhaseWork {
 public:
  using RankQueue = BasicRankQueue<Sync>;

  /// Queues for the ranks [first_rank, first_rank + ranks), found by their place among them. `name` says in errors
  /// what the ranks are doing: "write of checkpoint 1".
  BasicPhaseWork(bool writes, std::string name, uint32_t ranks, uint32_t first_rank = 0)
      : writes_(writes), name_(std::move(name)), ranks_left_(ranks) {
    queues_.reserve(ranks);
    for (uint32_t i = 0; i < ranks; ++i) queues_.push_back(std::make_unique<RankQueue>(first_rank + i));
  }

  bool writes() const { return writes_; }
  const std::string& name() const { return name_; }
  RankQueue& queue(size_t place) { return *queues_[place]; }
  uint32_t size() const { return static_cast<uint32_t>(queues_.size()); }

  // ---- ranks

  /// The rank's steps may be taken from now on.
  void activate(size_t place, Nanos now) {
    if (queues_[place]->activate(now)) finish_rank();
    started_.store(true, std::memory_order_release);
    wakeup_.notify();
  }
  /// The run is over: wakes every rank, and every I/O thread that waits. Any thread; more than once.
  void stop() {
    for (const auto& queue : queues_) queue->stop();
    stopped_.store(true, std::memory_order_release);
    wakeup_.notify();
  }

  // ---- I/O threads

  /// Waits until the first rank is activated, or stop().
  void wait_started() {
    for (;;) {
      const auto key = wakeup_.prepare_wait();
      if (started_.load(std::memory_order_acquire) || stopped_.load(std::memory_order_acquire)) return;
      wakeup_.wait_briefly(key);
    }
  }
  /// A key taken before looking for a step; wait() returns after the next change.
  auto prepare_wait() const { return wakeup_.prepare_wait(); }
  void wait(EventCount::Key key) { wakeup_.wait_briefly(key); }

  /// An object is open: its parts may be taken.
  void opened(typename RankQueue::QueuedObject& object) {
    object.state.store(RankQueue::QueuedObject::State::kOpen, std::memory_order_release);
    wakeup_.notify();
  }
  void completed(RankQueue& queue, typename RankQueue::QueuedObject& object, Nanos completed_ns) {
    object.state.store(RankQueue::QueuedObject::State::kComplete, std::memory_order_release);
    if (queue.complete_object(completed_ns)) finish_rank();
  }
  /// Whether every rank has moved all its objects.
  bool finished() const { return ranks_left_.load(std::memory_order_acquire) == 0; }

  /// After a failure: hands out each queue once, so that the I/O threads share the aborting; nullptr when all are out.
  RankQueue* next_to_abort() {
    const uint32_t place = abort_cursor_.fetch_add(1);
    return place < size() ? queues_[place].get() : nullptr;
  }

 private:
  void finish_rank() {
    if (ranks_left_.fetch_sub(1, std::memory_order_acq_rel) == 1) wakeup_.notify();
  }

  const bool writes_;
  const std::string name_;
  std::vector<std::unique_ptr<RankQueue>> queues_;
  typename Sync::template Atomic<uint32_t> ranks_left_;
  typename Sync::template Atomic<bool> started_{false}, stopped_{false};
  typename Sync::template Atomic<uint32_t> abort_cursor_{0};
  BasicEventCount<Sync> wakeup_;
};

using RankQueue = BasicRankQueue<RealSync>;
using QueuedObject = BasicQueuedObject<RealSync>;
using PhaseWork = BasicPhaseWork<RealSync>;

}  // namespace mlps::io
