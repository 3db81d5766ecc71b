#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/event_count.hpp"
#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/plan.hpp"
#include "benchmarks/training/stream.hpp"

namespace mlps::training {

/// One pass over a set: an epoch's training, or an evaluation. Must live as long as any claim of it.
struct Pass {
  uint32_t epoch = 0;
  const Dataset* dataset = nullptr;
  EpochOrder order;
  ExtentMap extents;
  std::optional<uint64_t> sample_key;  ///< set if the samples of a file are shuffled
};

/// Where I/O threads and the step loop meet: a stream for each accelerator of this host. Threads that find no read to
/// claim sleep on one event count, the step loop on another; the owner must call wake_all() after a failure.
template <class Sync>
class BasicPrefetchQueue {
 public:
  using Stream = BasicStream<Sync>;

  /// `first_rank`: number of this host's first accelerator among all of the run. In everything below, ranks count from
  /// it.
  BasicPrefetchQueue(uint32_t first_rank, uint32_t ranks, uint64_t capacity)
      : first_rank_(first_rank), next_ready_(std::make_unique<uint32_t[]>(ranks)) {
    streams_.reserve(ranks);
    for (uint32_t rank = 0; rank < ranks; ++rank) streams_.push_back(std::make_unique<Stream>(capacity));
  }

  uint32_t size() const { return static_cast<uint32_t>(streams_.size()); }
  uint32_t first_rank() const { return first_rank_; }
  Stream& stream(uint32_t rank) { return *streams_[rank]; }

  // ---- the step loop

  /// Begins a pass in which every rank reads `samples` samples. All claims of the pass before are complete.
  void begin(const Pass& pass, uint64_t samples, uint64_t in_flight) {
    pass_ = &pass;
    const uint64_t total = pass.extents.tickets_for(samples);
    for (const auto& stream : streams_) stream->restart(pass.extents, total, in_flight);
  }
  /// The pass begun last.
  const Pass& pass() const { return *pass_; }
  /// Replaces `ranks` by those whose awaited read has completed since the last call.
  void take_ready(std::vector<uint32_t>& ranks) {
    ranks.clear();
    if (ready_.load(std::memory_order_relaxed) == kEnd) return;
    for (uint32_t rank = ready_.exchange(kEnd, std::memory_order_acq_rel); rank != kEnd; rank = next_ready_[rank]) {
      ranks.push_back(rank);
    }
  }
  /// Is notified when take_ready() has something new.
  BasicEventCount<Sync>& batch_ready() { return batch_ready_; }
  /// Wakes I/O threads for `claimable` new reads.
  void wake_readers(uint64_t claimable) {
    if (claimable != 0) reads_available_.notify(static_cast<uint32_t>(std::min<uint64_t>(claimable, UINT32_MAX)));
  }
  /// Ends all waits: the run is over, or has failed.
  void wake_all() {
    reads_available_.notify();
    batch_ready_.notify();
  }
  /// No more passes: I/O threads leave when nothing is in flight.
  void close() {
    closed_.store(true, std::memory_order_release);
    wake_all();
  }

  // ---- I/O threads

  /// Reads [first, first + count) of a pass; none if count is 0.
  struct Claim {
    const Pass* pass = nullptr;
    uint64_t first = 0;
    uint32_t count = 0;
  };
  /// Takes up to `most` of the next reads of `rank`.
  Claim claim(uint32_t rank, uint32_t most) {
    const auto claim = streams_[rank]->claim(most);
    if (claim.count == 0) return {};
    return {pass_, claim.first, claim.count};  // a claim that succeeded makes its pass visible
  }
  /// The read that `rank` awaits has completed.
  void publish_ready(uint32_t rank) {
    uint32_t head = ready_.load(std::memory_order_relaxed);
    do {
      next_ready_[rank] = head;
    } while (!ready_.compare_exchange_weak(head, rank, std::memory_order_acq_rel, std::memory_order_relaxed));
    batch_ready_.notify(1);
  }
  /// Is notified when claims of a stream may succeed again, and by close().
  BasicEventCount<Sync>& reads_available() { return reads_available_; }
  const BasicEventCount<Sync>& reads_available() const { return reads_available_; }
  bool closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  static constexpr uint32_t kEnd = UINT32_MAX;

  const uint32_t first_rank_;
  std::vector<std::unique_ptr<Stream>> streams_;
  const Pass* pass_ = nullptr;  // written before the first limit of a pass is released
  typename Sync::template Atomic<bool> closed_{false};
  BasicEventCount<Sync> reads_available_, batch_ready_;
  // A stack of ranks, linked by index: a rank is on it at most once, since it awaits one read at a time.
  std::unique_ptr<uint32_t[]> next_ready_;
  alignas(64) typename Sync::template Atomic<uint32_t> ready_{kEnd};
};

using PrefetchQueue = BasicPrefetchQueue<RealSync>;

}  // namespace mlps::training
