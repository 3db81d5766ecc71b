#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "payload/layer.hpp"
#include "payload/mix.hpp"

// The generator, once, for every instruction set. A layer's file brings a small vector type `Vec` in an anonymous
// namespace (so that nothing compiled here is shared between layers) and instantiates fill_range and count_equal_range.
//
// An object is cut into blocks of 16 KiB that don't depend on each other. A block is 64 rows of 256 bytes; a row is one
// 64-bit word, little-endian, from each of 32 lanes. Eight xorshift64 generators (Marsaglia 2003) make four masks for
// each row; lane i holds a word z and steps to
//     z' = (kMultiplier * low32(z)) ^ high32(z) ^ mask[i / 8] of generator i % 8
// which is much like a multiply-with-carry step under a mask. The step alone would not do: the high half of its result
// follows the low half of the word before it, and xz finds that. Under the mask a word is independent of the one before
// it in its lane. Three or four operations a vector, spread over the multiply, shift and plain units of a core, and a
// few for the masks; a xoroshiro128+ of the same width needs nine, five of them shifts (docs/payload.md).
//
// A vector type holds kLanes 64-bit lanes and has: load, store, splat, +, ^, |, xor3, shift_left<n>, shift_right<n>,
// multiply_low (the product, 64 bits, of the low 32 bits of each lane) and any (is any bit set).

namespace mlps::payload {

inline constexpr size_t kBlockBytes = 16 * 1024;
inline constexpr size_t kLanes = 32;
inline constexpr size_t kMaskLanes = 8;
inline constexpr size_t kRowBytes = kLanes * sizeof(uint64_t);

/// Close to 2^32, so that a step keeps an even distribution even (to 2^-16), and not so close that it hardly
/// multiplies. David Thomas's MWC64X uses it too: kMultiplier * 2^32 - 1 is a safe prime.
inline constexpr uint64_t kMultiplier = 0xfffeb81b;

/// Sets the lanes of a block apart before they are mixed with the block's key.
struct LaneConstants {
  alignas(64) uint64_t words[kLanes + kMaskLanes];
  constexpr LaneConstants() : words() {
    uint64_t counter = 0x6d6c70735f6c616e;
    for (uint64_t& word : words) word = mix64(counter += 0x9e3779b97f4a7c15u);
  }
};
inline constexpr LaneConstants kLaneConstants;

/// Runs `body(i)` for i in 0..count-1 with i a constant: only so do a block's lanes stay in registers.
template <size_t count, class Body>
[[gnu::always_inline]] inline void unrolled(Body body) {
  [&]<size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
    (body(std::integral_constant<size_t, I>()), ...);
  }
  (std::make_index_sequence<count>());
}

/// The generator of one block, at its first row.
template <class Vec>
class Block {
 public:
  static constexpr size_t kVectors = kLanes / Vec::kLanes;
  static constexpr size_t kMaskVectors = kMaskLanes / Vec::kLanes;

  [[gnu::always_inline]] Block(const ObjectKey& key, uint64_t index) {
    // Each half is a bijection of the block's index, so no two blocks of an object can share either.
    const Vec low = Vec::splat(mix64(key.low + index * 0x9e3779b97f4a7c15u));
    const Vec high = Vec::splat(mix64(key.high ^ (index * 0xd1342543de82ef95u)));
    unrolled<kVectors>([&](auto i) __attribute__((always_inline)) {
      lanes_[i] = scramble(Vec::load(kLaneConstants.words + i * Vec::kLanes) ^ low, high);
    });
    unrolled<kMaskVectors>([&](auto i) __attribute__((always_inline)) {
      masks_[i] = scramble(Vec::load(kLaneConstants.words + kLanes + i * Vec::kLanes) ^ high, low);
    });
  }

  /// Moves to the next row and gives each of its kVectors vectors to `take(index, words)`.
  template <class Take>
  [[gnu::always_inline]] void next_row(Take take) {
    Vec masks[4][kMaskVectors];
    unrolled<kMaskVectors>([&](auto i) __attribute__((always_inline)) {
      const Vec left = masks_[i] ^ masks_[i].template shift_left<13>();
      const Vec right = left ^ left.template shift_right<7>();
      masks_[i] = right ^ right.template shift_left<17>();
      // Lanes under one and the same mask would be tied to each other; the xorshift's stages are to be had for nothing.
      // `right` shares its top 7 bits with `left` and its lowest 17 with the result, hence the sums.
      masks[0][i] = left;
      masks[1][i] = masks_[i];
      masks[2][i] = left + masks_[i];
      masks[3][i] = right + masks_[i];
    });
    unrolled<kVectors>([&](auto i) __attribute__((always_inline)) {
      const Vec product = Vec::multiply_low(lanes_[i], Vec::splat(kMultiplier));
      const Vec mask = masks[i / kMaskVectors][i % kMaskVectors];
      lanes_[i] = xor3(product, lanes_[i].template shift_right<32>(), mask);
      take(i, lanes_[i]);
    });
  }

  [[gnu::always_inline]] void skip_rows(size_t rows) {
    for (; rows > 0; --rows) next_row([](auto, Vec) {});
  }

 private:
  [[gnu::always_inline]] static Vec multiply_with_carry(Vec word) {
    return Vec::multiply_low(word, Vec::splat(kMultiplier)) + word.template shift_right<32>();
  }

  /// Makes unrelated words of words that differ by a constant. The halves of the key are well mixed already.
  [[gnu::always_inline]] static Vec scramble(Vec word, Vec other) {
    word = multiply_with_carry(word);
    word = multiply_with_carry(word ^ word.template shift_right<29>() ^ other);
    word = multiply_with_carry(word ^ word.template shift_right<31>());
    return word ^ word.template shift_right<27>();
  }

  Vec lanes_[kVectors];
  Vec masks_[kMaskVectors];
};

template <class Vec>
[[gnu::always_inline]] inline void store_row(Block<Vec>& block, std::byte* out) {
  block.next_row([&](auto i, Vec words) __attribute__((always_inline)) { words.store(out + i * sizeof(Vec)); });
}

template <class Vec>
[[gnu::always_inline]] inline bool row_differs(Block<Vec>& block, const std::byte* data) {
  Vec difference = Vec::splat(0);
  block.next_row([&](auto i, Vec words) __attribute__((always_inline)) {
    difference = difference | (words ^ Vec::load(data + i * sizeof(Vec)));
  });
  return difference.any();
}

/// Walks the rows that [offset, offset + size) touches: `whole(block, at)` for each row that lies inside the range,
/// `part(block, at, skip, bytes)` for one cut off at either end, of which `bytes` from `skip` on are inside; `at`
/// counts from the start of the range. Both stop the walk by returning false.
template <class Vec, class Whole, class Part>
[[gnu::always_inline]] inline void walk(const ObjectKey& key, uint64_t offset, size_t size, Whole whole, Part part) {
  size_t at = 0;
  while (at < size) {
    const size_t within = (offset + at) % kBlockBytes;
    const size_t left = size - at < kBlockBytes - within ? size - at : kBlockBytes - within;
    const size_t end = at + left;
    Block<Vec> block(key, (offset + at) / kBlockBytes);
    block.skip_rows(within / kRowBytes);
    if (const size_t skip = within % kRowBytes; skip != 0) {
      const size_t bytes = left < kRowBytes - skip ? left : kRowBytes - skip;
      if (!part(block, at, skip, bytes)) return;
      at += bytes;
    }
    for (; end - at >= kRowBytes; at += kRowBytes) {
      if (!whole(block, at)) return;
    }
    if (at < end && !part(block, at, 0, end - at)) return;
    at = end;
  }
}

template <class Vec>
void fill_range(const ObjectKey& key, uint64_t offset, std::byte* out, size_t size) {
  walk<Vec>(
      key, offset, size,
      [&](Block<Vec> & block, size_t at) __attribute__((always_inline)) {
        store_row(block, out + at);
        return true;
      },
      [&](Block<Vec>& block, size_t at, size_t skip, size_t bytes) {
        std::byte row[kRowBytes];
        store_row(block, row);
        std::memcpy(out + at, row + skip, bytes);
        return true;
      });
}

template <class Vec>
size_t count_equal_range(const ObjectKey& key, uint64_t offset, const std::byte* data, size_t size) {
  size_t equal = size;
  // Where in a row the difference lies is found by generating that row once more: it happens at most once a call.
  const auto locate = [&](size_t at, size_t bytes) {
    std::byte row[kRowBytes];
    fill_range<Vec>(key, offset + at, row, bytes);
    equal = at;
    while (data[equal] == row[equal - at]) ++equal;
    return false;
  };
  walk<Vec>(
      key, offset, size,
      [&](Block<Vec> & block, size_t at)
          __attribute__((always_inline)) { return !row_differs(block, data + at) || locate(at, kRowBytes); },
      [&](Block<Vec>& block, size_t at, size_t skip, size_t bytes) {
        std::byte row[kRowBytes];
        store_row(block, row);
        return std::memcmp(data + at, row + skip, bytes) == 0 || locate(at, bytes);
      });
  return equal;
}

}  // namespace mlps::payload
