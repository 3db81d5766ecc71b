#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

#include "base/sync.hpp"

namespace mlps::training {

/// Hands out the indices [first, end) in order and keeps a watermark below which all are complete, though they complete
/// in any order. Lock-free; any thread may call anything at any time. tests/models tries every interleaving.
template <class Sync>
class BasicCommitWindow {
 public:
  /// At most `room` indices (rounded up to a power of two) are out above the watermark.
  BasicCommitWindow(uint64_t first, uint64_t end, uint64_t room)
      : end_(end),
        slots_(std::bit_ceil(std::clamp<uint64_t>(room, 1, end - first + 1))),
        next_(first),
        watermark_(first) {}

  enum class Claim { kIndex, kFull, kNone };
  /// kFull: an old index is still out, ask again later. kNone: all are handed out.
  Claim claim(uint64_t& index) {
    uint64_t next = next_.load(std::memory_order_relaxed);
    do {
      if (next >= end_) return Claim::kNone;
      if (next >= watermark() + slots_.size()) return Claim::kFull;
    } while (!next_.compare_exchange_weak(next, next + 1, std::memory_order_relaxed));
    index = next;
    return Claim::kIndex;
  }

  /// Marks `index` complete; once per claimed index. A thread that sees the watermark above `index` sees all that the
  /// caller did before.
  void complete(uint64_t index) {
    // A slot holds the last index that completed in it, plus 1: nothing has to be cleared when it is used again.
    // Sequentially consistent: either the thread that brings the watermark to `index` sees it complete, or this
    // thread sees the watermark there and carries it on.
    slot(index).store(index + 1);
    uint64_t mark = watermark_.load();
    while (mark < end_ && slot(mark).load() == mark + 1) {
      if (watermark_.compare_exchange_strong(mark, mark + 1)) ++mark;
    }
  }

  /// All indices below are complete.
  uint64_t watermark() const { return watermark_.load(); }
  uint64_t end() const { return end_; }

 private:
  using Number = typename Sync::template Atomic<uint64_t>;
  Number& slot(uint64_t index) { return slots_[index & (slots_.size() - 1)]; }

  const uint64_t end_;
  std::vector<Number> slots_;
  alignas(64) Number next_;
  alignas(64) Number watermark_;
};

using CommitWindow = BasicCommitWindow<RealSync>;

}  // namespace mlps::training
