#include "benchmarks/training/permutation.hpp"

#include <bit>

#include "payload/mix.hpp"

namespace mlps::training {
namespace {

constexpr uint64_t kRoundKey = 0x9e3779b97f4a7c15u;
// Below this a half has so few values that four rounds leave patterns.
constexpr uint32_t kSmallBits = 16;

constexpr uint64_t mask_of(uint32_t bits) {
  return (uint64_t{1} << bits) - 1;
}

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t key) : size_(size) {
  const uint32_t bits = size < 2 ? 0 : static_cast<uint32_t>(std::bit_width(size - 1));
  low_bits_ = bits / 2;
  low_mask_ = mask_of(low_bits_);
  high_mask_ = mask_of(bits - low_bits_);
  rounds_ = bits < kSmallBits ? kMostRounds : kMostRounds / 2;
  uint64_t state = payload::mix64(key + kRoundKey);
  for (uint64_t& round : keys_) round = payload::mix64(state += kRoundKey);
}

// The halves may differ by a bit, so that the range is less than twice the size: each round changes one half by a
// function of the other, which can be undone whatever their widths.
uint64_t Permutation::scrambled(uint64_t value) const {
  uint64_t low = value & low_mask_;
  uint64_t high = value >> low_bits_;
  for (uint32_t round = 0; round < rounds_; round += 2) {
    high ^= payload::mix64(low + keys_[round]) & high_mask_;
    low ^= payload::mix64(high + keys_[round + 1]) & low_mask_;
  }
  return high << low_bits_ | low;
}

uint64_t Permutation::operator()(uint64_t position) const {
  // Values at or above size_ lie on the cycles of those below, so walking on ends, and stays one to one.
  do {
    position = scrambled(position);
  } while (position >= size_);
  return position;
}

}  // namespace mlps::training
