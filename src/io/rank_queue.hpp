#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/event_count.hpp"
#include "storage/store.hpp"

namespace mlps::io {

/// One object of a rank queue, from untouched to complete. Its state says what may be taken next.
template <class Sync>
struct BasicQueuedObject {
  enum class State : uint32_t { kIdle, kOpening, kOpen, kComplete };

  explicit BasicQueuedObject(std::unique_ptr<storage::Object> moved)
      : object(std::move(moved)), parts_left(object->part_count()) {}

  bool is_open() {
    const State now = state.load(std::memory_order_acquire);
    return now == State::kOpening || now == State::kOpen;
  }

  std::unique_ptr<storage::Object> object;
  typename Sync::template Atomic<State> state{State::kIdle};
  typename Sync::template Atomic<uint32_t> next_part{0};
  typename Sync::template Atomic<uint32_t> parts_left;
};

/// The objects that one rank moves in one phase, in the rank's order. I/O threads take steps of it without locks; the
/// rank waits for its end. Parts of an object are handed out as soon as it is open; the next object is opened when all
/// parts of the one before are taken, so that a queue never runs dry while a commit is under way.
template <class Sync>
class BasicRankQueue {
 public:
  using QueuedObject = BasicQueuedObject<Sync>;

  /// One step of the work, as an I/O thread takes it.
  struct Step {
    QueuedObject* object = nullptr;
    bool is_begin = false;
    uint32_t part = 0;
  };
  enum class Taken { kStep, kLater, kExhausted };
  enum class Outcome : uint32_t { kRunning, kDone, kStopped };

  explicit BasicRankQueue(uint32_t rank) : rank_(rank) {}
  uint32_t rank() const { return rank_; }

  /// Adds an object; before activate().
  void add(std::unique_ptr<storage::Object> object) {
    objects_.push_back(std::make_unique<QueuedObject>(std::move(object)));
  }
  const std::vector<std::unique_ptr<QueuedObject>>& objects() const { return objects_; }

  /// The rank has left the opening barrier at `now`: its steps may be taken. Returns true if the queue is empty and
  /// with that finished.
  bool activate(Nanos now) {
    end_ns_.store(now, std::memory_order_relaxed);
    objects_left_.store(static_cast<uint32_t>(objects_.size()), std::memory_order_relaxed);
    active_.store(true, std::memory_order_release);
    return objects_.empty() && end(Outcome::kDone);
  }

  Taken take(Step& step) {
    if (!active_.load(std::memory_order_acquire)) return Taken::kLater;
    for (;;) {
      uint32_t index = current_.load(std::memory_order_acquire);
      if (index >= objects_.size()) return Taken::kExhausted;
      QueuedObject& object = *objects_[index];
      auto state = object.state.load(std::memory_order_acquire);
      if (state == QueuedObject::State::kOpening) return Taken::kLater;
      if (state == QueuedObject::State::kIdle) {
        if (!object.state.compare_exchange_strong(state, QueuedObject::State::kOpening)) return Taken::kLater;
        step = {&object, true, 0};
        return Taken::kStep;
      }
      const uint32_t part = object.next_part.fetch_add(1, std::memory_order_relaxed);
      if (part < object.object->part_count()) {
        step = {&object, false, part};
        return Taken::kStep;
      }
      current_.compare_exchange_strong(index, index + 1);  // another thread may have moved on already
    }
  }

  /// An object was complete at `completed_ns`, which may be reported later and out of order. Returns true if it was the
  /// last one; then the waiting rank wakes.
  bool complete_object(Nanos completed_ns) {
    Nanos latest = end_ns_.load(std::memory_order_relaxed);
    while (latest < completed_ns && !end_ns_.compare_exchange_weak(latest, completed_ns, std::memory_order_relaxed)) {
    }
    return objects_left_.fetch_sub(1, std::memory_order_acq_rel) == 1 && end(Outcome::kDone);
  }

  /// Wakes the waiting rank without success, unless it has succeeded.
  void stop() { end(Outcome::kStopped); }

  /// The rank waits here until all its objects are complete, or stop(). Returns false if it was stopped.
  bool wait_done() {
    for (;;) {
      const auto key = ended_.prepare_wait();
      const Outcome outcome = outcome_.load(std::memory_order_acquire);
      if (outcome != Outcome::kRunning) return outcome == Outcome::kDone;
      ended_.wait_briefly(key);
    }
  }

  /// Returns when the last object was complete, or when the queue was activated if it has none. After wait_done().
  Nanos end_ns() const { return end_ns_.load(std::memory_order_relaxed); }

  /// Adds time spent for this rank; any thread.
  void charge(Nanos prepare, Nanos storage) {
    prepare_ns_.fetch_add(prepare, std::memory_order_relaxed);
    storage_ns_.fetch_add(storage, std::memory_order_relaxed);
  }
  Nanos prepare_ns() const { return prepare_ns_.load(std::memory_order_relaxed); }
  Nanos storage_ns() const { return storage_ns_.load(std::memory_order_relaxed); }

 private:
  bool end(Outcome outcome) {
    auto running = Outcome::kRunning;
    const bool is_first = outcome_.compare_exchange_strong(running, outcome, std::memory_order_acq_rel);
    ended_.notify();
    return is_first;
  }

  const uint32_t rank_;
  std::vector<std::unique_ptr<QueuedObject>> objects_;
  typename Sync::template Atomic<bool> active_{false};
  typename Sync::template Atomic<uint32_t> current_{0};
  typename Sync::template Atomic<uint32_t> objects_left_{0};
  typename Sync::template Atomic<Outcome> outcome_{Outcome::kRunning};
  typename Sync::template Atomic<Nanos> end_ns_{0};
  BasicEventCount<Sync> ended_;
  // Accounts, not protocol: no other thread waits for them.
  std::atomic<Nanos> prepare_ns_{0};
  std::atomic<Nanos> storage_ns_{0};
};

}  // namespace mlps::io
