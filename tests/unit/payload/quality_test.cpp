#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "bytes.hpp"
#include "payload/payload.hpp"

namespace mlps::payload {
namespace {

constexpr size_t kSector = 512;

/// Compressed size over size.
double deflate_ratio(const std::vector<std::byte>& bytes, int level) {
  uLongf size = compressBound(bytes.size());
  std::vector<Bytef> packed(size);
  EXPECT_EQ(compress2(packed.data(), &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), level), Z_OK);
  return static_cast<double>(size) / static_cast<double>(bytes.size());
}

TEST(PayloadQuality, DoesNotCompress) {
  const std::vector<std::byte> one = bytes_of(Source(1, "object"), 0, 8 << 20);
  EXPECT_GT(deflate_ratio(one, 1), 0.9999);
  EXPECT_LT(deflate_ratio(std::vector<std::byte>(1 << 20), 1), 0.01) << "the measure itself must tell";
}

TEST(PayloadQuality, ManySmallObjectsDoNotCompressTogether) {
  std::vector<std::byte> all(4 << 20);
  for (size_t i = 0; i < all.size() / 4096; ++i) {
    Source(1, "file_" + std::to_string(i)).fill(0, std::span(all).subspan(i * 4096, 4096));
  }
  EXPECT_GT(deflate_ratio(all, 6), 0.9999);
}

TEST(PayloadQuality, BytesAreEvenlySpread) {
  constexpr size_t kSize = 16 << 20;
  std::array<double, 256> counts{};
  for (const std::byte byte : bytes_of(Source(2, "object"), 0, kSize)) ++counts[std::to_integer<size_t>(byte)];
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - kSize / 256.0) * (count - kSize / 256.0) / (kSize / 256.0);
  // 255 degrees of freedom: mean 255, deviation 22.6; six deviations either side.
  EXPECT_GT(chi_square, 120);
  EXPECT_LT(chi_square, 390);
}

/// Bit `i` of a word against bit `j` of another word `distance` bytes later, for all i and j. Catches what compressors
/// with small windows don't: a multiply-with-carry generator without its mask fails at one row's distance.
double largest_bit_correlation(const std::vector<std::byte>& bytes, size_t distance) {
  const size_t words = (bytes.size() - distance) / 8;
  std::array<std::array<int64_t, 64>, 64> agree{};
  for (size_t at = 0; at < words * 8; at += 8) {
    uint64_t first;
    uint64_t second;
    std::memcpy(&first, bytes.data() + at, 8);
    std::memcpy(&second, bytes.data() + at + distance, 8);
    for (int shift = 0; shift < 64; ++shift) {
      const uint64_t same = ~(first ^ std::rotl(second, shift));
      for (size_t bit = 0; bit < 64; ++bit) agree[static_cast<size_t>(shift)][bit] += (same >> bit) & 1;
    }
  }
  double largest = 0;
  for (const auto& row : agree) {
    for (const int64_t count : row) {
      largest = std::max(largest, std::abs(2.0 * static_cast<double>(count) / static_cast<double>(words) - 1));
    }
  }
  return largest * std::sqrt(static_cast<double>(words));  // in standard deviations
}

TEST(PayloadQuality, WordsOfALaneOrARowOrNeighbouringBlocksAreIndependent) {
  const std::vector<std::byte> bytes = bytes_of(Source(3, "object"), 0, 1 << 19);
  for (const size_t distance : {8, 64, 256, 512, 16'384}) {
    // The largest of 4096 normal values is 3.5 +- 0.3; beyond 6 once in a hundred thousand sets.
    EXPECT_LT(largest_bit_correlation(bytes, distance), 6) << distance;
  }
}

/// Sorts the leading 16 bytes of all sectors: if those differ pairwise, so do the sectors.
class Sectors {
 public:
  void add(const std::vector<std::byte>& bytes) {
    for (size_t at = 0; at + kSector <= bytes.size(); at += kSector) {
      Head head;
      std::memcpy(&head, bytes.data() + at, sizeof head);
      heads_.push_back(head);
    }
  }
  size_t count() const { return heads_.size(); }
  bool all_differ() {
    std::sort(heads_.begin(), heads_.end());
    return std::adjacent_find(heads_.begin(), heads_.end()) == heads_.end();
  }

 private:
  using Head = std::array<uint64_t, 2>;
  std::vector<Head> heads_;
};

TEST(PayloadQuality, NoTwoSectorsAreEqualWithinOrBetweenObjectsOrSeeds) {
  Sectors sectors;
  sectors.add(bytes_of(Source(1, "large"), 0, 24 << 20));
  sectors.add(bytes_of(Source(1, "large"), uint64_t{1} << 44, 4 << 20));
  sectors.add(bytes_of(Source(2, "large"), 0, 8 << 20));
  for (int i = 0; i < 1000; ++i) {
    sectors.add(bytes_of(Source(1, "rank_" + std::to_string(i)), 0, 8192));
    sectors.add(bytes_of(Source(static_cast<uint64_t>(i) + 3, "rank_0"), 16'384, 8192));
  }
  EXPECT_EQ(sectors.count(), (24u + 4 + 8) * 2048 + 2 * 1000 * 16);
  EXPECT_TRUE(sectors.all_differ());
}

TEST(PayloadQuality, NoSectorIsEqualAtAnyOtherAlignment) {
  // A store that cuts at content-defined bounds sees words at every 8-byte step.
  const std::vector<std::byte> bytes = bytes_of(Source(5, "object"), 0, 16 << 20);
  std::vector<uint64_t> words(bytes.size() / 8);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  std::sort(words.begin(), words.end());
  // 2^21 words: 2^41 pairs, so a pair of equal 64-bit words is expected 10^-7 times.
  EXPECT_EQ(std::adjacent_find(words.begin(), words.end()), words.end());
}

}  // namespace
}  // namespace mlps::payload
