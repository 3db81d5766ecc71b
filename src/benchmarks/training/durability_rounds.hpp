#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/threads.hpp"
#include "base/waiting.hpp"
#include "benchmarks/training/generate_journal.hpp"
#include "benchmarks/training/generate_share.hpp"
#include "benchmarks/training/generate_window.hpp"
#include "world/transport.hpp"

namespace mlps::training {

/// Files and bytes that are written, or were found whole, since a generation began.
struct WriteCount {
  uint64_t files = 0, bytes = 0;
};

/// The order of the steps of durability rounds, and the waits between them: every process takes part in the same rounds
/// until all have written everything. tests/models tries every interleaving.
template <class Sync>
class BasicRoundLoop {
 public:
  /// Takes part in rounds until the last one, or stop(false). `job` carries out the steps:
  ///   deadline()                       when the next round begins at the latest
  ///   whole()                          up to which file this process's share is written
  ///   make_durable(whole) -> Status    makes these files survive a crash
  ///   agree(whole, writes) -> Result<Agreement>   collective: the least `whole` of all, and whether any still writes
  ///   journal(whole) -> Status         notes up to which file the data set is whole
  template <class Job>
  Status run(Job& job) {
    for (bool any_writes = true; any_writes;) {
      bool finished = false;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, job.deadline(), [&] { return stopping_; });
        if (stopping_ && !finished_) return {};
        finished = finished_;
      }
      // Before anything is made durable: what is written meanwhile belongs to the next round.
      const uint64_t whole = job.whole();
      if (!finished) {
        if (Status durable = job.make_durable(whole); !durable) return durable;
      }
      const auto agreed = job.agree(whole, !finished);
      if (!agreed) return fail(agreed.error());
      any_writes = agreed->any_writes;
      if (Status noted = job.journal(agreed->whole); !noted) return noted;
    }
    return {};
  }

  /// Ends the waiting; `finished`: everything of this process is written and durable, so that it stays in the rounds
  /// until all processes say so. Without that, run() returns before its next round. Any thread.
  void stop(bool finished) {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    finished_ = finished_ || finished;
    changed_.notify_all();
  }

 private:
  typename Sync::Mutex mutex_;
  typename Sync::Condition changed_;
  bool stopping_ = false;  // no interval is waited for any more
  bool finished_ = false;
};

/// What all processes of a round agreed on.
struct Agreement {
  uint64_t whole = 0;
  bool any_writes = false;
};

/// Runs the durability rounds of a generation: at intervals every host makes its written files durable, all agree up to
/// which file the data set is whole, and process 0 stores that in the journal. Runs on a thread of its own, which no
/// writer waits for and which alone uses the transport meanwhile. An error in a round fails the job.
class DurabilityRounds {
 public:
  struct Settings {
    std::string shape;
    Nanos interval_ns = 0;
    bool keeps_journal = true;  ///< false: what is written can't be found again
    std::function<WriteCount()> count;
  };
  /// Collective. When it returns the first journal is there, so that no host writes a file without one. Store, share,
  /// window and transport must live longer.
  static Result<std::unique_ptr<DurabilityRounds>> start(Settings settings, const FileShare& share,
                                                         const CommitWindow& window, storage::Store& store,
                                                         world::Transport& transport);
  ~DurabilityRounds();
  DurabilityRounds(const DurabilityRounds&) = delete;
  DurabilityRounds& operator=(const DurabilityRounds&) = delete;

  /// Every file of this process is written and durable: waits until that is so in all processes, or one has failed.
  /// The transport is the caller's again.
  void finish();

  /// From any thread.
  WriteCount others() const;

 private:
  DurabilityRounds(Settings settings, const FileShare& share, const CommitWindow& window, storage::Store& store,
                   world::Transport& transport)
      : settings_(std::move(settings)), share_(share), window_(window), store_(store), transport_(transport) {}

  friend class BasicRoundLoop<RealSync>;  // whose job this is
  Status begin();
  Nanos deadline() const { return now_ns() + settings_.interval_ns; }
  uint64_t whole() const { return share_.whole_below(window_.watermark()); }
  Status make_durable(uint64_t whole);
  Result<Agreement> agree(uint64_t whole, bool writes);
  Status journal(uint64_t whole);
  Status note_others();

  const Settings settings_;
  const FileShare& share_;
  const CommitWindow& window_;
  storage::Store& store_;
  world::Transport& transport_;
  std::unique_ptr<JournalWriter> journal_writer_;  // of process 0, where a journal is kept
  uint64_t durable_ = 0;                           // of this process's files, all below
  std::optional<uint64_t> journaled_;

  BasicRoundLoop<RealSync> loop_;
  mutable std::mutex mutex_;
  WriteCount others_;
  Threads thread_;
  world::Failure::Subscription on_raise_;
};

}  // namespace mlps::training
