#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "benchmarks/checkpointing/record.hpp"
#include "storage/store.hpp"

/// Who moves what: every rank has a lane of objects; any I/O worker takes the next step of any lane, without locks.
namespace mlps::checkpointing {

/// One object of a lane, from untouched to complete. `state` says what may be taken next.
struct LaneObject {
  enum class State : uint32_t { kIdle, kOpening, kOpen, kComplete };

  explicit LaneObject(std::unique_ptr<storage::Object> moved)
      : object(std::move(moved)), parts_left(object->part_count()) {}

  std::unique_ptr<storage::Object> object;
  std::atomic<State> state{State::kIdle};
  std::atomic<uint32_t> next_part{0};
  std::atomic<uint32_t> parts_left;
};

/// One step of the work, as a worker takes it.
struct Step {
  LaneObject* object = nullptr;
  bool is_begin = false;
  uint32_t part = 0;
};

/// The objects of one rank in one checkpoint, in the rank's order. Parts of an object are handed out as soon as it is
/// open; the next object is opened when all parts of the one before are taken, so that a lane never runs dry while
/// a commit is under way.
class Lane {
 public:
  enum class Taken { kStep, kLater, kExhausted };
  enum class Outcome : uint32_t { kRunning, kDone, kStopped };

  explicit Lane(uint32_t rank) : rank_(rank) {}
  uint32_t rank() const { return rank_; }

  void add(std::unique_ptr<storage::Object> object) {
    objects_.push_back(std::make_unique<LaneObject>(std::move(object)));
  }

  /// The rank has left the opening barrier: its steps may be taken from now on.
  void activate(Nanos now) {
    start_ns_ = now;
    objects_left_.store(static_cast<uint32_t>(objects_.size()), std::memory_order_relaxed);
    active_.store(true, std::memory_order_release);
  }

  Taken take(Step& step);

  /// An object is complete at `now`. True for the lane's last one; the waiting rank is woken.
  bool complete_object(Nanos now);

  /// Wakes the waiting rank without success.
  void stop();

  /// The rank waits here. False if the lane was stopped.
  bool wait_done() const;

  Nanos start_ns() const { return start_ns_; }
  Nanos end_ns() const { return end_ns_; }
  std::vector<std::unique_ptr<LaneObject>>& objects() { return objects_; }

  void charge(Nanos prepare, Nanos storage) {
    prepare_ns_.fetch_add(prepare, std::memory_order_relaxed);
    storage_ns_.fetch_add(storage, std::memory_order_relaxed);
  }
  Nanos prepare_ns() const { return prepare_ns_.load(std::memory_order_relaxed); }
  Nanos storage_ns() const { return storage_ns_.load(std::memory_order_relaxed); }

 private:
  const uint32_t rank_;
  std::vector<std::unique_ptr<LaneObject>> objects_;
  std::atomic<bool> active_{false};
  std::atomic<uint32_t> current_{0};
  std::atomic<uint32_t> objects_left_{0};
  std::atomic<Outcome> outcome_{Outcome::kRunning};
  std::atomic<Nanos> prepare_ns_{0};
  std::atomic<Nanos> storage_ns_{0};
  Nanos start_ns_ = 0;
  Nanos end_ns_ = 0;  // written before outcome_ becomes kDone
};

/// All lanes of one checkpoint, and the bell that starved workers wait on.
class Board {
 public:
  /// Lanes for ranks [first_rank, first_rank + ranks), found by their place among them.
  Board(Phase phase, uint32_t checkpoint, size_t ranks, uint32_t first_rank = 0);

  Phase phase() const { return phase_; }
  uint32_t checkpoint() const { return checkpoint_; }
  Lane& lane(size_t place) { return *lanes_[place]; }
  size_t size() const { return lanes_.size(); }

  bool finished() const { return lanes_left_.load(std::memory_order_acquire) == 0; }
  void lane_done() { lanes_left_.fetch_sub(1, std::memory_order_acq_rel); }

  /// Something may be takeable now.
  void ring() {
    bell_.fetch_add(1, std::memory_order_release);
    bell_.notify_all();
  }
  uint32_t bell() const { return bell_.load(std::memory_order_acquire); }
  void wait_bell(uint32_t heard) const { bell_.wait(heard, std::memory_order_acquire); }
  /// Workers get the board before the ranks leave the opening barrier; their clocks start here.
  void wait_first_ring() const { wait_bell(0); }

  /// The run is over: wakes every rank and every starved worker.
  void stop();

 private:
  Phase phase_;
  uint32_t checkpoint_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<uint32_t> lanes_left_;
  std::atomic<uint32_t> bell_{0};
};

}  // namespace mlps::checkpointing
