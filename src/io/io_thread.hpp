#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "io/plan.hpp"
#include "io/series.hpp"
#include "io/task_source.hpp"

namespace mlps::io {

/// One I/O thread's state: its session, its buffers, its clock. It takes operations from a task source, fills buffers
/// before writes, submits, polls, verifies what was read, counts, and hands completions back. Everything in it is used
/// by that thread alone, but for live_bytes() (progress display) and cancel().
class IoThread {
 public:
  /// Opens the session and gets the buffers. `verify`: bytes read are compared with what they should be. `series` gets
  /// what happens in every second; it may be nullptr.
  static Result<std::unique_ptr<IoThread>> open(const Plan& plan, bool verify, storage::Store& store,
                                                world::Failure& failure, SharedSeries* series = nullptr);

  /// Carries out what `source` gives until that is finished or the run has failed. Nothing is in flight on return.
  void work(TaskSource& source);

  /// Carries out one operation while nothing is in flight, in no statistics: for clean-up.
  void run(storage::Operation& operation);
  /// Aborts the writing of `object`; what could not be aborted is counted, so that it never hides the first cause.
  void abort(storage::Object& object);
  /// Objects whose writing could not be aborted.
  struct NotAborted {
    uint64_t count = 0;
    std::string first;  ///< the first one, and why
  };
  /// Returns those of this thread so far, and forgets them. While it doesn't work.
  NotAborted take_not_aborted() { return std::exchange(not_aborted_, {}); }

  /// From any thread: what is in flight ends soon with E203.
  void cancel() { session_->cancel(); }

  uint64_t live_bytes() const { return live_bytes_.load(std::memory_order_relaxed); }
  /// Returns when this thread submitted the first part that counts; 0 if it never did.
  Nanos first_part_ns() const { return first_part_ns_; }

 private:
  IoThread(const Plan& plan, bool verify, const storage::StoreTraits& traits, world::Failure& failure,
           SharedSeries* series);

  void start(Slot& slot, TaskSource& source);
  void submit(Slot& slot);
  void finish(Slot& slot, TaskSource& source);
  void count(const Slot& slot, bool counts);
  /// Whether the bytes of a completed operation are as they should be; raises an error if not.
  bool check(Slot& slot, TaskSource& source);
  bool verify(Slot& slot, TaskSource& source);
  /// Adds the time since the last call to `bucket`.
  void charge(Nanos& bucket) { charge_until(now_ns(), bucket); }
  void charge_until(Nanos now, Nanos& bucket);

  const bool verify_;
  const bool blocking_;  // submit() does the I/O: operations tell when that began and ended
  const bool timed_;     // submit() takes time worth a look at the clock
  world::Failure& failure_;
  std::unique_ptr<storage::Session> session_;
  AlignedBuffer slab_;  // one piece for all slots: large enough for huge pages also when parts are small
  std::vector<Slot> slots_;
  std::vector<Slot*> free_;
  std::vector<storage::Operation*> completed_;
  uint32_t in_flight_ = 0;
  Nanos mark_ = 0;
  Stats* stats_ = nullptr;  // of the phase
  Nanos first_part_ns_ = 0;
  NotAborted not_aborted_;
  SecondRecorder seconds_;
  alignas(64) std::atomic<uint64_t> live_bytes_{0};
};

}  // namespace mlps::io
