#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <string>
#include <type_traits>

#include "bytes.hpp"
#include "payload/payload.hpp"

namespace mlps::payload {
namespace {

constexpr uint64_t kSeed = 0x0123456789abcdefu;
constexpr std::string_view kName = "llama3-8b/global_step_0/zero_pp_rank_0_mp_rank_00_model_states.pt";

/// FNV-1a: told apart from the payload's own arithmetic, so that a shared mistake can't hide.
uint64_t fingerprint(const std::vector<std::byte>& bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<uint64_t>(byte)) * 0x100000001b3u;
  return hash;
}

static_assert(std::is_trivially_copyable_v<Source>);

// A change here changes the format: objects written by earlier versions would fail to verify.
TEST(PayloadFormat, GoldenValues) {
  EXPECT_EQ(fingerprint(bytes_of(Source(kSeed, kName), 0, 100'000)), 8681437911449985373u);
  EXPECT_EQ(fingerprint(bytes_of(Source(kSeed, kName), (uint64_t{1} << 40) + 77, 40'000)), 9258892192189756060u);
  EXPECT_EQ(fingerprint(bytes_of(Source(0, ""), 0, 16'384)), 12759383001684262563u);
  EXPECT_EQ(fingerprint(bytes_of(Source(1, "a"), 16'000, 1'000)), 15408049572563205446u);
}

TEST(PayloadSource, SameArgumentsSameBytes) {
  EXPECT_EQ(bytes_of(Source(kSeed, kName), 12345, 5000), bytes_of(Source(kSeed, std::string(kName)), 12345, 5000));
}

TEST(PayloadSource, SeedAndEveryPartOfTheNameMatter) {
  const std::vector<std::byte> reference = bytes_of(Source(kSeed, kName), 1 << 20, 64);
  EXPECT_NE(reference, bytes_of(Source(kSeed + 1, kName), 1 << 20, 64));
  for (size_t at = 0; at < kName.size(); ++at) {
    std::string name(kName);
    name[at] ^= 1;
    EXPECT_NE(reference, bytes_of(Source(kSeed, name), 1 << 20, 64)) << "character " << at;
  }
  // A name's last word is padded with zeros before it is hashed; its length keeps the two apart.
  EXPECT_NE(bytes_of(Source(1, "a"), 64, 64), bytes_of(Source(1, std::string_view("a\0", 2)), 64, 64));
  EXPECT_NE(bytes_of(Source(1, ""), 64, 64), bytes_of(Source(1, std::string_view("\0\0\0\0\0\0\0\0", 8)), 64, 64));
}

TEST(PayloadSource, AnyRangeIsACutOfTheWhole) {
  const LayerGuard guard;
  const Source source(kSeed, kName);
  const std::vector<std::byte> whole = bytes_of(source, 0, 150'000);
  std::mt19937_64 random(7);
  for (const std::string_view layer : available_layers()) {
    ASSERT_TRUE(select_layer(layer));
    for (int i = 0; i < 2000; ++i) {
      const size_t offset = random() % 70'000;
      const size_t size = random() % (i % 2 == 0 ? 600 : 70'000);
      const std::vector<std::byte> range = bytes_of(source, offset, size);
      ASSERT_TRUE(std::equal(range.begin(), range.end(), whole.begin() + static_cast<ptrdiff_t>(offset)))
          << layer << " offset " << offset << " size " << size;
    }
  }
}

TEST(PayloadSource, WritesNothingOutsideTheRange) {
  const LayerGuard guard;
  const Source source(kSeed, kName);
  constexpr std::byte kUntouched{0xa5};
  for (const std::string_view layer : available_layers()) {
    ASSERT_TRUE(select_layer(layer));
    for (const size_t size : {0, 1, 7, 8, 255, 256, 257, 4096, 16'384, 16'385, 40'001}) {
      for (const uint64_t offset : {0, 1, 5, 8, 255, 16'383, 16'384, 20'000}) {
        for (const size_t shift : {0, 1, 63}) {
          std::vector<std::byte> memory(size + 256, kUntouched);
          source.fill(offset, std::span(memory).subspan(64 + shift, size));
          const auto untouched = [](std::byte byte) { return byte == kUntouched; };
          const auto begin = memory.begin() + static_cast<ptrdiff_t>(64 + shift);
          ASSERT_TRUE(std::all_of(memory.begin(), begin, untouched)) << layer << ' ' << offset << ' ' << size;
          ASSERT_TRUE(std::all_of(begin + static_cast<ptrdiff_t>(size), memory.end(), untouched))
              << layer << ' ' << offset << ' ' << size;
        }
      }
    }
  }
}

TEST(PayloadSource, OffsetsToTheEndOfTheAddressSpace) {
  const Source source(kSeed, kName);
  const uint64_t last = ~uint64_t{0} - 999;
  const std::vector<std::byte> bytes = bytes_of(source, last, 1000);
  const std::vector<std::byte> tail = bytes_of(source, last + 900, 100);
  EXPECT_TRUE(std::equal(tail.begin(), tail.end(), bytes.begin() + 900));
  EXPECT_EQ(source.first_mismatch(last, bytes), std::nullopt);
}

TEST(PayloadSeed, RoundTrip) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t seed = i < 3 ? static_cast<uint64_t>(i) - 1 : random();
    const std::string name(random() % 40, static_cast<char>('a' + random() % 26));
    std::array<std::byte, 8> first;
    Source(seed, name).fill(0, first);
    ASSERT_EQ(Source::seed_from(name, first), seed) << name;
  }
}

TEST(PayloadSeed, HoldsForEveryRangeThatTouchesTheFirstBytes) {
  const Source source(kSeed, kName);
  const std::vector<std::byte> whole = bytes_of(source, 0, 64);
  EXPECT_EQ(Source::seed_from(kName, std::span(whole).first<8>()), kSeed);
  for (size_t offset = 0; offset < 16; ++offset) {
    for (size_t size = 0; size + offset <= 64; ++size) {
      const std::vector<std::byte> range = bytes_of(source, offset, size);
      ASSERT_TRUE(std::equal(range.begin(), range.end(), whole.begin() + static_cast<ptrdiff_t>(offset)))
          << offset << ' ' << size;
      ASSERT_EQ(source.first_mismatch(offset, range), std::nullopt) << offset << ' ' << size;
    }
  }
}

TEST(PayloadSeed, IsMaskedByTheName) {
  std::array<std::byte, 8> one;
  std::array<std::byte, 8> other;
  Source(kSeed, "one").fill(0, one);
  Source(kSeed, "other").fill(0, other);
  EXPECT_NE(one, other);
  EXPECT_NE(Source::seed_from("other", one), kSeed);
}

TEST(PayloadTiles, CoverTheRangeInOrderAndEndAtTileBounds) {
  const Source source(kSeed, kName);
  for (const uint64_t offset : {uint64_t{0}, uint64_t{100}, uint64_t{kTileBytes - 1}}) {
    std::vector<std::byte> out(3 * kTileBytes + 17);
    size_t at = 0;
    source.fill_tiles(offset, out, [&](std::span<const std::byte> tile) {
      EXPECT_EQ(tile.data(), out.data() + at);
      ASSERT_FALSE(tile.empty());
      EXPECT_LE(tile.size(), kTileBytes);
      EXPECT_EQ(source.first_mismatch(offset + at, tile), std::nullopt);
      at += tile.size();
      EXPECT_TRUE((offset + at) % kTileBytes == 0 || at == out.size());
    });
    EXPECT_EQ(at, out.size());
    EXPECT_EQ(out, bytes_of(source, offset, out.size()));
  }
  source.fill_tiles(5, {}, [](std::span<const std::byte>) { ADD_FAILURE() << "a tile of nothing"; });
}

}  // namespace
}  // namespace mlps::payload
