#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/event_count.hpp"

namespace mlps::training {

/// How many of the I/O threads take part. Threads that block in the storage want to be many; threads whose reads come
/// out of memory are best as many as there are cores: more of them only take the processor from each other, and a read
/// claimed by one that doesn't run holds up its whole batch. So it starts with a few, every read that blocked adds one,
/// and a run of reads that didn't takes one away. Any thread may call anything.
class ActiveWorkers {
 public:
  /// least == most: fixed.
  ActiveWorkers(uint32_t least, uint32_t most) : least_(std::min(least, most)), most_(most), limit_(least_) {}

  bool is_fixed() const { return least_ == most_; }
  uint32_t limit() const { return limit_.load(std::memory_order_relaxed); }
  bool takes_part(uint32_t index) const { return index < limit(); }

  void read_blocked() {
    uint32_t limit = limit_.load(std::memory_order_relaxed);
    if (limit >= most_ || !limit_.compare_exchange_strong(limit, limit + 1, std::memory_order_relaxed)) return;
    reserve_.notify();
  }
  /// After kQuietReads reads of one thread that did not block.
  void reads_were_quiet() {
    uint32_t limit = limit_.load(std::memory_order_relaxed);
    if (limit > least_) limit_.compare_exchange_strong(limit, limit - 1, std::memory_order_relaxed);
  }
  static constexpr uint32_t kQuietReads = 64;

  /// Where threads wait that take no part.
  EventCount& reserve() { return reserve_; }

 private:
  const uint32_t least_, most_;
  alignas(64) std::atomic<uint32_t> limit_;
  EventCount reserve_;
};

/// How often the calling thread has gone to sleep of its own accord: in a read, that is, for the storage.
uint64_t voluntary_switches();

}  // namespace mlps::training
