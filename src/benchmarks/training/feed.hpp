#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/event_count.hpp"
#include "benchmarks/training/active_workers.hpp"
#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/plan.hpp"
#include "benchmarks/training/stream.hpp"

namespace mlps::training {

/// What is read in one pass over a set: an epoch's training, or an evaluation. Lives as long as any claim of it.
struct Pass {
  uint32_t epoch = 0;
  const Dataset* dataset = nullptr;
  EpochOrder order;
  ExtentMap extents;
  std::optional<uint64_t> sample_key;  ///< the samples of a file are shuffled
};

/// Where workers and the conductor meet: a stream for each accelerator of this host, and two bells.
class Feed {
 public:
  /// `first_rank`: number among all accelerators of the run of this host's first one. Below, ranks are this host's own.
  Feed(uint32_t first_rank, uint32_t ranks, uint64_t capacity, uint32_t least_workers, uint32_t most_workers);

  uint32_t size() const { return static_cast<uint32_t>(streams_.size()); }
  uint32_t first_rank() const { return first_rank_; }
  Stream& stream(uint32_t rank) { return *streams_[rank]; }

  // ---- the conductor

  /// Begins a pass in which every rank reads `samples` samples. All claims of the pass before are complete.
  void begin(const Pass& pass, uint64_t samples, uint64_t in_flight);
  /// Ranks whose awaited read has come since the last call.
  void collect(std::vector<uint32_t>& ranks);
  EventCount& news() { return news_; }
  /// Wakes workers for `claimable` new reads.
  void wake_workers(uint64_t claimable) {
    if (claimable != 0) work_.notify(static_cast<uint32_t>(std::min<uint64_t>(claimable, workers_.limit())));
  }
  /// Wakes everybody: the run is over, or has failed.
  void wake_all();

  // ---- workers

  /// The pass that a claim belongs to; to be asked after the claim.
  const Pass& pass() const { return *pass_; }
  void announce(uint32_t rank);
  EventCount& work() { return work_; }
  ActiveWorkers& workers() { return workers_; }

  /// No more passes: workers leave when nothing is in flight.
  void close();
  bool closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  static constexpr uint32_t kEnd = UINT32_MAX;

  const uint32_t first_rank_;
  std::vector<std::unique_ptr<Stream>> streams_;
  const Pass* pass_ = nullptr;  // written before the first limit of a pass is released
  std::atomic<bool> closed_{false};
  EventCount work_, news_;
  ActiveWorkers workers_;
  // A stack of ranks, linked by index: a rank is on it at most once, since it awaits one read at a time.
  std::unique_ptr<uint32_t[]> next_announced_;
  alignas(64) std::atomic<uint32_t> announced_{kEnd};
};

}  // namespace mlps::training
