#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/phase_work.hpp"
#include "io/span.hpp"
#include "io/task_source.hpp"

namespace mlps::io {

/// The task source that moves whole objects: takes the next step of any rank queue of the current phase work.
class ObjectMover final : public TaskSource {
 public:
  /// `index` of `threads`: threads start at different queues.
  ObjectMover(uint32_t index, uint32_t threads, uint32_t depth, std::string mismatch_hint, world::Failure& failure)
      : TaskSource(failure),
        index_(index),
        threads_(threads),
        mismatch_hint_(std::move(mismatch_hint)),
        carried_(depth) {}

  /// The work of the next phase; between phases.
  void set_work(PhaseWork& work) { work_ = &work; }
  const Stats& stats_of(bool writes) const { return writes ? write_ : read_; }
  /// Returns when operations of this thread were in flight since the last call, in the order of their completion.
  /// Between phases.
  std::vector<Span> take_in_flight() { return std::exchange(in_flight_, {}); }

  void begin() override;
  bool next(Slot& slot, size_t more_free) override;
  bool done(Slot& slot) override;
  bool may_get_more() const override { return !queues_.empty(); }
  bool finished() const override { return work_->finished(); }
  EventCount::Key prepare_wait() const override { return work_->prepare_wait(); }
  void wait(EventCount::Key key) override { work_->wait(key); }
  void clean_up(IoThread& thread, bool failed) override;
  Place place(const Slot& slot) const override;
  std::string mismatch_hint() const override { return mismatch_hint_; }
  Stats& stats() override { return work_->writes() ? write_ : read_; }

 private:
  /// The object and its queue that a slot works for.
  struct Carried {
    RankQueue* queue = nullptr;
    QueuedObject* object = nullptr;
  };
  bool take(RankQueue::Step& step, RankQueue*& queue);
  void turn_to(size_t queue);

  const uint32_t index_, threads_;
  const std::string mismatch_hint_;
  PhaseWork* work_ = nullptr;
  std::vector<RankQueue*> queues_;  // not exhausted, in this thread's order
  size_t next_queue_ = 0;
  uint64_t stretch_bytes_ = 0;    // taken from it since the last turn
  std::vector<Carried> carried_;  // by slot
  Stats write_, read_;
  std::vector<Span> in_flight_;
};

}  // namespace mlps::io
