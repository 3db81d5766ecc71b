#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "formats/format.hpp"

/// What every format has to hold, whatever it is.
namespace mlps::formats::checks {

using Bytes = std::vector<std::byte>;

inline const payload::Source& source() {
  static const payload::Source made(20240607, "train/img_0000_of_0168.npz");
  return made;
}

inline Layout layout(workloads::DataFormat format, uint64_t samples = 1) {
  Layout made;
  made.format = format;
  made.samples_per_file = samples;
  made.record_bytes = 65536;
  return made;
}

inline std::unique_ptr<Format> make(const Layout& wanted) {
  auto made = make_format(wanted);
  if (made) return std::move(*made);
  ADD_FAILURE() << render(made.error());
  std::abort();
}

inline Error refusal(const Layout& wanted) {
  const auto made = make_format(wanted);
  if (!made) return made.error();
  ADD_FAILURE() << "the layout was accepted";
  return {};
}

inline Bytes range(const Format& format, const FileShape& shape, uint64_t offset, size_t bytes) {
  Bytes made(bytes);
  format.fill(shape, source(), offset, made);
  return made;
}

inline Bytes whole(const Format& format, const FileShape& shape) {
  return range(format, shape, 0, format.file_bytes(shape));
}

inline std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline uint64_t little_endian(std::span<const std::byte> bytes) {
  uint64_t value = 0;
  for (size_t byte = bytes.size(); byte-- > 0;) value = value << 8 | static_cast<uint64_t>(bytes[byte]);
  return value;
}

/// Parts made on their own, down to a byte and cut anywhere, are the whole's.
inline void parts_agree(const Format& format, const FileShape& shape) {
  const Bytes all = whole(format, shape);
  std::mt19937_64 random(all.size());
  const auto check = [&](uint64_t offset, uint64_t bytes) {
    const Bytes part = range(format, shape, offset, bytes);
    const auto expected = std::span(all).subspan(offset, bytes);
    ASSERT_TRUE(std::equal(part.begin(), part.end(), expected.begin()))
        << "bytes [" << offset << ", " << offset + bytes << ") of " << all.size();
  };
  for (int round = 0; round < 150; ++round) {
    const uint64_t offset = random() % all.size();
    const uint64_t most = std::min<uint64_t>(all.size() - offset, round % 3 == 0 ? 9 : 200'000);
    ASSERT_NO_FATAL_FAILURE(check(offset, 1 + random() % most));
  }
  // Byte by byte at both ends, where most structure is, and over the tile boundaries.
  std::vector<uint64_t> places = {0, all.size()};
  for (uint64_t tile = payload::kTileBytes; tile < all.size(); tile += payload::kTileBytes) places.push_back(tile);
  for (const uint64_t place : places) {
    const uint64_t from = place < 300 ? 0 : place - 300;
    for (uint64_t at = from; at < std::min<uint64_t>(all.size(), from + 600); ++at) {
      ASSERT_NO_FATAL_FAILURE(check(at, 1));
    }
  }
}

/// A flipped bit is found where it is, whatever range is checked; good data has none.
inline void mismatches_are_found(const Format& format, const FileShape& shape) {
  Bytes all = whole(format, shape);
  std::mt19937_64 random(all.size() + 1);
  EXPECT_EQ(format.first_mismatch(shape, source(), 0, all), std::nullopt);
  const auto check = [&](uint64_t wrong) {
    const uint64_t before = random() % std::min<uint64_t>(wrong + 1, 100'000);
    const uint64_t after = random() % std::min<uint64_t>(all.size() - wrong, 100'000);
    const auto part = std::span(all).subspan(wrong - before, before + 1 + after);
    ASSERT_EQ(format.first_mismatch(shape, source(), wrong - before, part), std::nullopt) << wrong;
    all[wrong] ^= std::byte{1} << static_cast<int>(random() % 8);
    ASSERT_EQ(format.first_mismatch(shape, source(), wrong - before, part), wrong);
    format.fill(shape, source(), wrong, std::span(all).subspan(wrong, 1));
  };
  for (int round = 0; round < 100; ++round) ASSERT_NO_FATAL_FAILURE(check(random() % all.size()));
  const uint64_t ends = std::min<uint64_t>(all.size(), 300);
  for (uint64_t at = 0; at < ends; ++at) {
    ASSERT_NO_FATAL_FAILURE(check(at));
    ASSERT_NO_FATAL_FAILURE(check(all.size() - 1 - at));
  }
}

/// Extents lie in the file, their samples add up, and their number has nothing to do with the shape.
inline void extents_add_up(const Format& format, const FileShape& shape, uint64_t samples) {
  uint64_t sum = 0;
  for (uint32_t index = 0; index < format.extent_count(); ++index) {
    const Extent extent = format.extent(shape, index);
    EXPECT_GT(extent.bytes, 0U) << index;
    EXPECT_LE(extent.offset + extent.bytes, format.file_bytes(shape)) << index;
    sum += format.extent_samples(index);
  }
  EXPECT_EQ(sum, samples);
}

}  // namespace mlps::formats::checks
