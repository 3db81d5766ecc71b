#pragma once

#include <coroutine>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "benchmarks/kvcache/rank_trial.hpp"
#include "benchmarks/kvcache/task.hpp"

namespace mlps::kvcache {

/// The simulation of one rank in one trial. Requests in service are coroutines; there is no thread, no clock and no I/O
/// in it: whoever drives it says what time it is and which operations have completed. With the same completions
/// everything is the same. Used by one thread.
class Simulation {
 public:
  virtual ~Simulation() = default;
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Before the window: what it is to find there begins to be stored; is_prepared() tells when all of it is.
  virtual void prepare(Nanos /*now*/) {}
  virtual bool is_prepared() const { return true; }
  /// The window begins.
  virtual void begin(Nanos now) = 0;
  /// Carries out what is due first, if it is due until `until`; false if nothing is. `now` may be later, so that of
  /// many requests of one moment the last is sent when it is sent.
  bool step(Nanos until, Nanos now);
  /// Carries out all that is due until `now`.
  void advance(Nanos now) {
    while (step(now, now)) {
    }
  }
  /// Does a piece of what is known to come and can be done before its time; false: there is none. For when nothing is
  /// due.
  virtual bool look_ahead() { return false; }
  /// All operations that were started so far are on their way since `now`; the thread has computed for `busy` since a
  /// moment at which none of what was started was due.
  virtual void handed_over(Nanos /*now*/, Nanos /*busy*/) {}
  /// Returns when something is due next, without any completion; INT64_MAX: nothing.
  Nanos next_event() const { return events_.empty() || closed_ ? INT64_MAX : events_.top().due; }
  /// An operation has completed, at op.completed_ns.
  void complete(EntryOp& op);

  /// The window ends: nothing more begins.
  void close() { closed_ = true; }
  /// Takes the bytes of an operation that was given up, or completed after the window.
  void complete_late(const EntryOp& op);
  /// Returns what was counted. After close(), when no operation is under way any more.
  virtual RankTrial finish() = 0;

  /// Whether there is nothing left to do before the window's end.
  virtual bool is_done() const { return false; }
  /// Returns why the run can't go on.
  virtual std::optional<Error> problem() const = 0;
  virtual uint64_t waiting() const = 0;
  virtual uint64_t in_service() const = 0;
  const RankTrial& counted() const { return trial_; }

 protected:
  explicit Simulation(EntryIo& io) : io_(io) {}

  /// Waits until somebody who was given the handle resumes it.
  struct Suspended {
    std::coroutine_handle<>& place;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept { place = waiter; }
    void await_resume() const noexcept {}
  };
  struct Sleep {
    Simulation& simulation;
    Nanos duration;
    bool await_ready() const noexcept { return duration <= 0; }
    void await_suspend(std::coroutine_handle<> waiter) const {
      simulation.schedule(simulation.now_ + duration, waiter);
    }
    void await_resume() const noexcept {}
  };
  /// Waits for an operation of storage or memory; after the end of the window none begins.
  struct Operation {
    Simulation& simulation;
    EntryOp& op;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) const {
      op.waiter = waiter;
      if (!simulation.closed_) simulation.io_.start(op);
    }
    void await_resume() const noexcept {}
  };

  void schedule(Nanos due, std::coroutine_handle<> waiter) { events_.push({due, order_++, 0, waiter}); }
  /// happened(what) will be called.
  void schedule(Nanos due, uint32_t what) { events_.push({due, order_++, what, {}}); }
  virtual void happened(uint32_t what) = 0;
  /// Called when an activity has gone on, and may have ended.
  virtual void went_on() = 0;
  /// Counts an operation that completed inside the window.
  void account(const EntryOp& op);
  TierTraffic& traffic(Tier tier) { return trial_.tiers[static_cast<size_t>(tier)]; }

  EntryIo& io_;
  RankTrial trial_;
  Nanos now_ = 0;    ///< of the event or completion that is being dealt with
  Nanos clock_ = 0;  ///< the driver's, when it last called advance()
  bool closed_ = false;

 private:
  struct Event {
    Nanos due = 0;
    uint64_t order = 0;
    uint32_t what = 0;
    std::coroutine_handle<> waiter;  ///< which activity goes on; without one, `what` happens
    bool operator>(const Event& other) const { return std::pair(due, order) > std::pair(other.due, other.order); }
  };
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  uint64_t order_ = 0;
};

}  // namespace mlps::kvcache
