#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>

#include "base/sync.hpp"
#include "benchmarks/training/extent_map.hpp"

namespace mlps::training {

/// The reads of one accelerator as a queue. I/O threads claim and complete reads in any order; the step loop takes
/// batches in order. No locks: a claim is one compare-and-swap, a completion one store. A read's number within a pass
/// is its ticket.
template <class Sync>
class BasicStream {
 public:
  /// `capacity`: tickets that may be open at once, claimed or complete and not yet taken; rounded up to a power of two.
  explicit BasicStream(uint64_t capacity)
      : capacity_bits_(static_cast<uint32_t>(std::bit_width(std::max<uint64_t>(capacity, 2) - 1))),
        mask_((uint64_t{1} << capacity_bits_) - 1),
        marks_(std::make_unique<typename Sync::template Atomic<uint32_t>[]>(mask_ + 1)) {}

  /// Begins a pass of `total` tickets, counted from 0 again, of which `in_flight` may be claimed and incomplete at
  /// once; nothing can be claimed before raise_claim_limit(). All tickets of the pass before are complete, but I/O
  /// threads may look for more at any time.
  void restart(const ExtentMap& map, uint64_t total, uint64_t in_flight) {
    map_ = &map;
    base_ = end_;
    end_ += total;
    in_flight_.store(std::max<uint64_t>(in_flight, 1), std::memory_order_relaxed);
    head_ = base_;
    arrived_samples_ = taken_samples_ = 0;
  }

  // ---- I/O threads

  struct Claim {
    uint64_t first = 0;
    uint32_t count = 0;
  };
  /// Takes up to `most` of the next tickets; count 0 if there is none to take now.
  Claim claim(uint32_t most) {
    const uint64_t limit = limit_.load(std::memory_order_acquire);
    uint64_t first = next_.load(std::memory_order_relaxed);
    for (;;) {
      // Numbers go on from pass to pass, so with an old limit nothing is left to claim (a thread that slept since finds
      // the exchange failing), and with a new one the rest of the new pass is visible.
      if (first >= limit) return {};
      const uint64_t completed = completed_.load(std::memory_order_relaxed);
      const uint64_t until = std::min({limit, first + most, completed + in_flight_.load(std::memory_order_relaxed)});
      if (first >= until) return {};
      if (next_.compare_exchange_weak(first, until, std::memory_order_acq_rel, std::memory_order_relaxed)) {
        return {first - base_, static_cast<uint32_t>(until - first)};
      }
    }
  }
  /// The extent of `ticket` is in memory. Returns true if the step loop waits for just this one: it must be told.
  bool complete(uint64_t ticket) {
    const uint64_t number = base_ + ticket;
    completed_.fetch_add(1, std::memory_order_relaxed);
    // Mark first, then look whether it is awaited; ready() does it the other way round, so one of the two sees it.
    marks_[number & mask_].store(mark_of(number), std::memory_order_seq_cst);
    uint64_t expected = number;
    return awaited_.load(std::memory_order_seq_cst) == number &&
           awaited_.compare_exchange_strong(expected, kNone, std::memory_order_seq_cst);
  }

  // ---- the step loop

  /// Tickets below `limit` may be claimed; never more than the capacity ahead of what was taken. Returns how many
  /// became claimable.
  uint64_t raise_claim_limit(uint64_t limit) {
    limit = std::min({base_ + limit, end_, head_ + mask_ + 1});
    const uint64_t before = limit_.load(std::memory_order_relaxed);
    if (limit <= before) return 0;
    limit_.store(limit, std::memory_order_release);
    return limit - before;
  }
  /// Whether the next `samples` samples are there. If not, the stream remembers which ticket it lacks, and complete()
  /// will report it.
  bool ready(uint64_t samples) {
    const uint64_t wanted = taken_samples_ + samples;
    while (arrived_samples_ < wanted) {
      if (!is_complete(head_)) {
        awaited_.store(head_, std::memory_order_seq_cst);
        if (!is_complete(head_)) return false;
        // It came in between. If the I/O thread has taken the number away it is going to publish, and the caller waits
        // for that.
        uint64_t expected = head_;
        if (!awaited_.compare_exchange_strong(expected, kNone, std::memory_order_seq_cst)) return false;
      }
      arrived_samples_ += map_->samples_of(head_++ - base_);
    }
    return true;
  }
  /// Brings what ready() of the next `samples` samples will look at into this core's cache.
  void warm(uint64_t samples) const {
    constexpr uint64_t kMarksPerLine = 64 / sizeof(marks_[0]);
    __builtin_prefetch(&limit_);
    const uint64_t end = std::min(base_ + map_->tickets_for(taken_samples_ + samples), head_ + mask_ + 1);
    for (uint64_t number = head_; number < end; number += kMarksPerLine) __builtin_prefetch(&marks_[number & mask_]);
  }
  /// Takes samples that are ready().
  void take(uint64_t samples) { taken_samples_ += samples; }
  uint64_t taken_samples() const { return taken_samples_; }

 private:
  static constexpr uint64_t kNone = UINT64_MAX;
  /// The mark of a complete read in its place of the ring: which round of the ring it was.
  uint32_t mark_of(uint64_t number) const { return static_cast<uint32_t>(number >> capacity_bits_) + 1; }
  bool is_complete(uint64_t number) const {
    return marks_[number & mask_].load(std::memory_order_seq_cst) == mark_of(number);
  }

  uint32_t capacity_bits_;
  uint64_t mask_;
  std::unique_ptr<typename Sync::template Atomic<uint32_t>[]> marks_;

  // Inside, reads are numbered on from pass to pass; a ticket is the number less base_. Written by the step loop
  // between passes, or by it alone.
  const ExtentMap* map_ = nullptr;
  uint64_t base_ = 0;
  uint64_t end_ = 0;
  uint64_t head_ = 0;             // reads before it are complete
  uint64_t arrived_samples_ = 0;  // of this pass, of those
  uint64_t taken_samples_ = 0;

  alignas(64) typename Sync::template Atomic<uint64_t> limit_{0};
  typename Sync::template Atomic<uint64_t> in_flight_{1};
  typename Sync::template Atomic<uint64_t> awaited_{kNone};  // the read that the step loop lacks
  alignas(64) typename Sync::template Atomic<uint64_t> next_{0};
  alignas(64) typename Sync::template Atomic<uint64_t> completed_{0};
};

using Stream = BasicStream<RealSync>;

}  // namespace mlps::training
