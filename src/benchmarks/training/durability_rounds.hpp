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

/// The numbers of the other hosts as of the last round.
struct OtherHosts {
  WriteCount count;
  double bytes_per_s = 0;  ///< since the round before
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
  OtherHosts others() const;

 private:
  DurabilityRounds(Settings settings, const FileShare& share, const CommitWindow& window, storage::Store& store,
                   world::Transport& transport)
      : settings_(std::move(settings)), share_(share), window_(window), store_(store), transport_(transport) {}

  Status begin();
  void stop(bool finished);
  void run();
  Status meet(bool finished, bool& all_finished);
  Status make_durable(uint64_t whole);
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
  Nanos met_ns_ = 0;

  mutable std::mutex mutex_;
  Condition changed_;
  bool stopping_ = false;  // no interval is waited for any more
  bool finished_ = false;
  OtherHosts others_;
  Threads thread_;
  world::Failure::Subscription on_raise_;
};

}  // namespace mlps::training
