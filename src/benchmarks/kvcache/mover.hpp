#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/threads.hpp"
#include "base/waiting.hpp"
#include "benchmarks/kvcache/entry_io.hpp"
#include "io/io_thread_pool.hpp"

/// How entries become operations of a store.
namespace mlps::kvcache {

/// Where one rank gets its completions. Filled by I/O threads, emptied by the rank's thread, which sleeps on the event
/// count.
class Port {
 public:
  /// `first_name` stands before the names of the rank's entries: "rank_3/".
  Port(uint32_t rank, std::string first_name) : rank_(rank), first_name_(std::move(first_name)) {}

  uint32_t rank() const { return rank_; }
  const std::string& first_name() const { return first_name_; }
  void post(EntryOp& op);
  /// Appends what has completed since the last call.
  void take(std::vector<EntryOp*>& done);
  EventCount& changed() { return changed_; }

  /// Bytes that move after this moment are late. Set before the first operation.
  void set_window_end(Nanos end) { window_end_ = end; }
  Nanos window_end() const { return window_end_; }

 private:
  const uint32_t rank_;
  const std::string first_name_;
  Nanos window_end_ = INT64_MAX;
  std::mutex mutex_;
  std::vector<EntryOp*> done_;
  EventCount changed_;
};

/// How entries look in a store, and how they get there.
struct EntryForm {
  std::string suffix;          ///< of names: ".npy"
  uint64_t header_bytes = 0;   ///< before the entry's own
  uint32_t parts_at_once = 1;  ///< of one entry
  bool drops_pages = false;    ///< an entry's pages leave the page cache before each read
  bool is_split = false;       ///< host and device spans are told apart, as mlpstorage 3.0 does
  uint64_t seed = 0;           ///< of the payload
  /// Returns the header of an entry of so many bytes; empty if header_bytes is 0.
  std::function<std::string(uint64_t entry_bytes)> header = {};
};

/// Moves entries to and from one store, in parts, with the I/O engine: all ranks of a host share its threads. Removes
/// entries on a thread of its own. start() and the ports' functions may be called by any thread.
class Mover {
 public:
  /// Opens sessions and starts threads. On failure nothing is left running. `series`: see io::IoThreadPool.
  static Result<std::unique_ptr<Mover>> start(const io::Plan& plan, bool verify, EntryForm form, storage::Store& store,
                                              world::Failure& failure, io::SharedSeries* series = nullptr);
  ~Mover();

  /// Begins operations, which wake as many threads as they need at once. They stay where they are until they complete.
  void begin(Port& port, std::span<EntryOp* const> ops);
  /// Gives up what the port has under way: no further part of it begins. Each of its operations completes soon.
  void cut(Port& port);
  void remove(Port& port, const std::string& name);
  /// Ends the threads, once no operation is under way or the run has failed, and everything is removed that remove()
  /// was called for; after a failure that is left to the owner.
  void stop();

  io::Stats stats() const;
  uint64_t live_bytes() const { return pool_->live_bytes(); }
  Nanos first_part_ns() const { return pool_->first_part_ns(); }
  std::string name_of(const Port& port, const std::string& name) const {
    return port.first_name() + name + form_.suffix;
  }

 private:
  struct Job;
  class Source;
  friend class Source;

  Mover(EntryForm form, storage::Store& store, world::Failure& failure);
  std::unique_ptr<Job> job_of(Port& port, EntryOp& op);
  Job* take(storage::Operation& operation);
  bool put_back(Job& job);
  void put_back_and_wake(Job& job) {
    if (put_back(job)) work_.notify(1);
  }
  bool end_of(Job& job, io::Slot& slot);
  void finish(Job& job);
  void serve_removals();

  const EntryForm form_;
  storage::Store& store_;
  world::Failure& failure_;
  uint64_t part_bytes_ = 0;
  std::mutex mutex_;
  std::unordered_map<Job*, std::unique_ptr<Job>> jobs_;
  std::deque<Job*> ready_;  // with a step that may be taken
  EventCount work_;
  std::atomic<bool> closed_ = false;

  std::mutex removal_mutex_;
  Condition removals_changed_;
  std::deque<std::string> removals_;
  bool no_more_removals_ = false;
  std::unique_ptr<storage::Session> remover_;
  Threads removing_;

  std::vector<std::unique_ptr<Source>> sources_;
  std::unique_ptr<io::IoThreadPool> pool_;
  world::Failure::Subscription on_raise_;
};

}  // namespace mlps::kvcache
