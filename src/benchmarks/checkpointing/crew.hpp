#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/threads.hpp"
#include "base/waiting.hpp"
#include "benchmarks/checkpointing/worker.hpp"

namespace mlps::checkpointing {

/// All I/O workers of this host: threads that live from before the first barrier to the end of the run, with their
/// sessions and buffers. work_on(), wait_idle() and disband() are called by one thread; live_bytes() by any.
class Crew {
 public:
  /// Opens every session and starts every thread. On failure nothing is left running.
  static Result<std::unique_ptr<Crew>> hire(const WorkerSettings& settings, storage::Store& store,
                                            world::Failure& failure);
  ~Crew();

  /// All workers take steps of `board` from now on, until it is finished or the run fails. After a failure they abort
  /// what is open on it. The board must live until wait_idle() or disband() has returned.
  void work_on(Board& board);
  void wait_idle();

  /// Ends the threads. Returns what went wrong while aborting.
  std::vector<std::string> disband();

  /// Adds the workers' numbers to the record, and the time to the first byte. After disband().
  void merge_into(RunRecord& record) const;

  uint64_t live_bytes() const;

 private:
  explicit Crew(world::Failure& failure) : failure_(failure) {}
  void serve(Worker& worker);
  void clean_up(Worker& worker, Board& board);
  void on_failure();

  world::Failure& failure_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Threads threads_;

  std::mutex mutex_;
  Condition changed_;
  Board* board_ = nullptr;  // what is being worked on
  uint64_t board_number_ = 0;
  size_t busy_ = 0;     // workers that have not finished with board_
  size_t drained_ = 0;  // of those, after a failure: with nothing in flight
  bool disbanded_ = false;
  std::atomic<uint32_t> abort_cursor_{0};
  std::vector<std::string> problems_;
  world::Failure::Subscription on_raise_;
};

}  // namespace mlps::checkpointing
