#pragma once

#include <array>
#include <cstdint>

namespace mlps::training {

/// Permutes [0, size) by a key, size up to 2^63: a Feistel network over the next power of two with cycle walking,
/// so the n-th element is found without a table and every element comes exactly once. Immutable; any thread.
class Permutation {
 public:
  Permutation() = default;
  Permutation(uint64_t size, uint64_t key);

  uint64_t size() const { return size_; }
  /// Returns the element at `position` < size().
  uint64_t operator()(uint64_t position) const;

 private:
  uint64_t scrambled(uint64_t value) const;

  static constexpr uint32_t kMostRounds = 8;
  uint64_t size_ = 0;
  std::array<uint64_t, kMostRounds> keys_{};
  uint32_t low_bits_ = 0;
  uint64_t low_mask_ = 0, high_mask_ = 0;
  uint32_t rounds_ = kMostRounds;
};

}  // namespace mlps::training
