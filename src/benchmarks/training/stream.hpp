#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "formats/format.hpp"

/// One accelerator's data as a queue of reads. Workers claim and complete reads in any order; the conductor takes
/// batches in order. No locks: a claim is one compare-and-swap, a completion one store.
namespace mlps::training {

/// Where samples lie in a rank's sequence of extents; the same for every rank of a pass. A read's number ("ticket")
/// counts the extents of the rank's files in order.
class ExtentMap {
 public:
  ExtentMap(const formats::Format& format, uint64_t samples_per_file);

  uint64_t extents_per_file() const { return extents_; }
  /// Tickets [0, n) hold the first `samples` samples; the smallest such n.
  uint64_t tickets_for(uint64_t samples) const;
  uint64_t samples_of(uint64_t ticket) const { return samples_[ticket % extents_]; }

  /// The extent that stands at `place` (below extents_per_file()) when a file's samples are shuffled by `key`. Groups
  /// of extents that bring equally many samples (row groups, runs of records) change places as wholes; a footer in
  /// front and a shorter last group stay where they are.
  uint32_t shuffled(uint32_t place, uint64_t key) const;

 private:
  void find_groups();

  uint64_t extents_;
  uint64_t samples_per_file_;
  std::vector<uint64_t> samples_;   // by extent
  std::vector<uint64_t> complete_;  // samples complete after extents 0..i of a file
  uint32_t first_group_ = 0;        // extent with which the first of the equal groups begins
  uint32_t group_extents_ = 1;
  uint32_t groups_ = 0;
};

class Stream {
 public:
  /// `capacity`: tickets that may be open at once, claimed or complete and not yet taken; rounded up to a power of two.
  explicit Stream(uint64_t capacity);

  /// Begins a pass of `total` tickets, counted from 0 again; nothing can be claimed before allow(). All tickets of the
  /// pass before are complete, but workers may look for more at any time.
  void restart(const ExtentMap& map, uint64_t total, uint64_t in_flight);

  // ---- workers

  struct Claim {
    uint64_t first = 0;
    uint32_t count = 0;
  };
  /// Takes up to `most` of the next tickets; count 0 if there is none to take now.
  Claim claim(uint32_t most);
  /// The extent of `ticket` is here. True if the conductor waits for just this one: it must be told.
  bool complete(uint64_t ticket);

  // ---- the conductor

  /// Tickets below `limit` may be claimed; never more than the capacity ahead of what was taken. Returns how many
  /// became claimable.
  uint64_t allow(uint64_t limit);
  /// Whether the next `samples` samples are there. If not, the stream remembers which ticket it lacks, and complete()
  /// will tell of it.
  bool ready(uint64_t samples);
  /// Brings what ready() of the next `samples` samples will look at into this core's cache.
  void warm(uint64_t samples) const;
  /// Takes samples that are ready().
  void take(uint64_t samples) { taken_samples_ += samples; }
  uint64_t taken_samples() const { return taken_samples_; }

 private:
  static constexpr uint64_t kNone = UINT64_MAX;
  /// The mark of a complete read in its slot: which round of the ring it was.
  uint32_t mark_of(uint64_t number) const { return static_cast<uint32_t>(number >> capacity_bits_) + 1; }
  bool is_complete(uint64_t number) const {
    return marks_[number & mask_].load(std::memory_order_seq_cst) == mark_of(number);
  }

  uint32_t capacity_bits_;
  uint64_t mask_;
  std::unique_ptr<std::atomic<uint32_t>[]> marks_;

  // Inside, reads are numbered on from pass to pass; a ticket is the number less base_. Written by the conductor
  // between passes, or by it alone.
  const ExtentMap* map_ = nullptr;
  uint64_t base_ = 0;
  uint64_t end_ = 0;
  uint64_t head_ = 0;             // reads before it are complete
  uint64_t arrived_samples_ = 0;  // of this pass, of those
  uint64_t taken_samples_ = 0;

  alignas(64) std::atomic<uint64_t> limit_{0};
  std::atomic<uint64_t> in_flight_{1};
  std::atomic<uint64_t> awaited_{kNone};  // the read the conductor lacks
  alignas(64) std::atomic<uint64_t> next_{0};
  alignas(64) std::atomic<uint64_t> completed_{0};
};

}  // namespace mlps::training
