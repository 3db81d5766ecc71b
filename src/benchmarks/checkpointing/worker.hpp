#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "benchmarks/checkpointing/lane.hpp"
#include "benchmarks/checkpointing/record.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::checkpointing {

/// What a worker needs to know of the run; the same for all workers.
struct WorkerSettings {
  IoPlan io;
  PayloadMode payload = PayloadMode::kUnique;
  bool verify = false;
};

/// One I/O thread's state: its session, its buffers, its numbers. Everything in it is used by that thread alone,
/// but for `live_bytes()` (progress display) and `cancel()`.
class Worker {
 public:
  /// Opens the session and gets the buffers. Called before the first barrier.
  static Result<std::unique_ptr<Worker>> create(uint32_t index, const WorkerSettings& settings, storage::Store& store);

  /// Takes steps of `board` until it is finished or the run has failed; nothing is in flight on return. Numbers are
  /// added to stats().
  void work(Board& board, world::Failure& failure);

  /// After a failure, when all workers have left work(): aborts open uploads and partial files of the lanes
  /// `next_lane` hands out. Errors are returned as texts: they never hide the first cause.
  std::vector<std::string> abort_open(Board& board, std::atomic<uint32_t>& next_lane);

  /// From any thread: what is in flight ends soon with E203.
  void cancel() { session_->cancel(); }

  PhaseStats& stats(Phase phase) { return phase == Phase::kWrite ? write_ : read_; }
  uint64_t live_bytes() const { return live_bytes_.load(std::memory_order_relaxed); }
  /// When this worker submitted its first part; 0 if never.
  Nanos first_part_ns() const { return first_part_ns_; }

 private:
  struct Slot {
    storage::Operation operation;
    std::span<std::byte> buffer;  // of slab_; empty if the payload is off
    Lane* lane = nullptr;
    LaneObject* object = nullptr;
    Nanos prepare_ns = 0;
  };

  Worker(uint32_t index, const WorkerSettings& settings) : index_(index), settings_(settings) {}

  bool take(Step& step, Lane*& lane);
  void start(Slot& slot, const Step& step, Lane* lane);
  void submit(Slot& slot);
  void finish(Slot& slot, Board& board, world::Failure& failure);
  void finish_part(Slot& slot, Board& board, world::Failure& failure);
  /// Raises `error` with the rank, phase and checkpoint it happened in.
  void raise(const Slot& slot, Error error, const Board& board, world::Failure& failure);
  void count(const Slot& slot);
  void verify(Slot& slot, const Board& board, world::Failure& failure);
  /// Adds the time since the last call to `bucket`.
  void charge(Nanos& bucket);

  const uint32_t index_;
  const WorkerSettings settings_;
  std::unique_ptr<storage::Session> session_;
  AlignedBuffer slab_;  // one piece for all slots: large enough for huge pages also when parts are small
  std::vector<Slot> slots_;
  std::vector<Slot*> free_;
  uint32_t in_flight_ = 0;
  std::vector<storage::Operation*> completed_;

  // While working on a board:
  Phase phase_ = Phase::kWrite;
  PhaseStats* now_ = nullptr;
  std::vector<Lane*> lanes_;  // not exhausted, in this worker's order
  size_t next_lane_ = 0;
  Nanos mark_ = 0;

  PhaseStats write_, read_;
  Nanos first_part_ns_ = 0;
  alignas(64) std::atomic<uint64_t> live_bytes_{0};
};

}  // namespace mlps::checkpointing
