#pragma once

#include <cstdint>

namespace mlps::training {

/// A keyed permutation of [0, size): a Feistel network over the next even power of two with cycle walking, so the n-th
/// element is found without a table, in constant memory, and every element comes exactly once. Pure; any thread.
class Permutation {
 public:
  Permutation() = default;
  Permutation(uint64_t size, uint64_t key);

  uint64_t size() const { return size_; }
  /// The element at `position` < size().
  uint64_t operator()(uint64_t position) const;

 private:
  uint64_t size_ = 0;
  uint64_t key_ = 0;
  uint32_t half_bits_ = 1;
};

}  // namespace mlps::training
