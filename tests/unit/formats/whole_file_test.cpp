// Files that are read as a whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/crc.hpp"
#include "checks.hpp"
#include "formats/npy.hpp"
#include "formats/zip.hpp"

namespace mlps::formats {
namespace {

using namespace checks;
using ::testing::HasSubstr;
using workloads::DataFormat;
using workloads::ElementType;

struct Case {
  DataFormat format;
  FileShape shape;
  uint64_t samples;
  ElementType type = ElementType::kUint8;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << workloads::format_name(c.format) << ' ' << c.shape.height << 'x' << c.shape.width << 'x' << c.samples;
}

class WholeFiles : public ::testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<Format> made() const {
    Layout wanted = layout(GetParam().format, GetParam().samples);
    wanted.element_type = GetParam().type;
    return make(wanted);
  }
};

TEST_P(WholeFiles, PartsAgree) {
  parts_agree(*made(), GetParam().shape);
}
TEST_P(WholeFiles, MismatchesAreFound) {
  mismatches_are_found(*made(), GetParam().shape);
}
TEST_P(WholeFiles, AreOneExtent) {
  const auto format = made();
  EXPECT_EQ(format->extent_count(), 1U);
  EXPECT_EQ(format->extent(GetParam().shape, 0).bytes, format->file_bytes(GetParam().shape));
  extents_add_up(*format, GetParam().shape, GetParam().samples);
  EXPECT_EQ(format->index_text(GetParam().shape), std::nullopt);
}

// Data of npz begins at 163. 1 to 5 bytes: with and without place for the word that closes the CRC; 65373 ends with a
// tile, 65375 two bytes after one, 65377 four bytes after.
INSTANTIATE_TEST_SUITE_P(Shapes, WholeFiles,
                         ::testing::Values(Case{DataFormat::kJpeg, {568, 568}, 1}, Case{DataFormat::kPng, {1, 1}, 1},
                                           Case{DataFormat::kSynthetic, {10, 10}, 3},
                                           Case{DataFormat::kNpy, {300, 301}, 2},
                                           Case{DataFormat::kNpy, {3, 5}, 1, ElementType::kFloat64},
                                           Case{DataFormat::kNpz, {1, 1}, 1}, Case{DataFormat::kNpz, {1, 3}, 1},
                                           Case{DataFormat::kNpz, {2, 2}, 1}, Case{DataFormat::kNpz, {5, 1}, 1},
                                           Case{DataFormat::kNpz, {22, 22}, 1}, Case{DataFormat::kNpz, {1, 65373}, 1},
                                           Case{DataFormat::kNpz, {65375, 1}, 1}, Case{DataFormat::kNpz, {1, 65376}, 1},
                                           Case{DataFormat::kNpz, {1, 65377}, 1}, Case{DataFormat::kNpz, {413, 487}, 1},
                                           Case{DataFormat::kNpz, {60, 61}, 30},
                                           Case{DataFormat::kNpz, {100, 101}, 3, ElementType::kFloat32}));

// --- npz -------------------------------------------------------------------------------------------------------------

TEST(Npz, HasTheOverheadOfTheSpec) {
  for (const uint64_t samples : {1, 2, 10}) {
    const auto format = make(layout(DataFormat::kNpz, samples));
    EXPECT_EQ(format->file_bytes({12107, 12107}), uint64_t{12107} * 12107 * samples + 450 + 8 * samples);
  }
  EXPECT_EQ(make(layout(DataFormat::kNpz))->file_bytes({12107, 12107}), 146'579'449U + 458U);
}

TEST(Npz, LayoutIsThatOfTheSpec) {
  const auto format = make(layout(DataFormat::kNpz, 2));
  const FileShape shape{100, 101};
  const Bytes all = whole(*format, shape);
  EXPECT_EQ(text(all).substr(0, 14), std::string_view("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0", 14));
  EXPECT_EQ(little_endian(std::span(all).subspan(18, 4)), 128U + 20'200U);
  EXPECT_EQ(little_endian(std::span(all).subspan(22, 4)), 128U + 20'200U);
  EXPECT_EQ(text(all).substr(30, 5), "x.npy");
  EXPECT_THAT(std::string(text(all).substr(35, 128)),
              HasSubstr("{'descr': '|u1', 'fortran_order': False, 'shape': (100, 101, 2), }"));
  EXPECT_THAT(std::string(text(all).substr(163 + 20'200 + 35, 128)),
              HasSubstr("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"));
  EXPECT_EQ(text(all).substr(163 + 20'200 + 163, 16), std::string(16, '\0'));
}

uint32_t crc32_bit_by_bit(std::span<const std::byte> bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
  }
  return ~crc;
}

TEST(Npz, ChecksumsAreRight) {
  const auto format = make(layout(DataFormat::kNpz));
  for (const uint64_t width : {1, 3, 4, 5, 484, 65373, 65375, 65376, 65377, 200'000}) {
    const Bytes all = whole(*format, {1, width});
    const auto file = std::span(all);
    EXPECT_EQ(little_endian(file.subspan(14, 4)), crc32_bit_by_bit(file.subspan(35, 128 + width))) << width;
    const uint64_t y = 163 + width;
    EXPECT_EQ(little_endian(file.subspan(y + 14, 4)), crc32_bit_by_bit(file.subspan(y + 35, 128 + 8))) << width;
  }
}

TEST(Npz, PayloadIsTheSourcesButForFourBytesPerTile) {
  const auto format = make(layout(DataFormat::kNpz));
  const FileShape shape{1000, 1000};
  const Bytes all = whole(*format, shape);
  size_t tiles = 0;
  for (uint64_t at = 163; at < 163 + 1'000'000;) {
    const auto wrong = source().first_mismatch(at, std::span(all).subspan(at, 163 + 1'000'000 - at));
    ASSERT_TRUE(wrong);
    const uint64_t end = std::min<uint64_t>((at / payload::kTileBytes + 1) * payload::kTileBytes, 163 + 1'000'000);
    EXPECT_GE(*wrong, end - 4);
    at = end;
    ++tiles;
  }
  EXPECT_EQ(tiles, 16U);
}

TEST(Npz, FourGibAndMoreTakesZip64) {
  const auto format = make(layout(DataFormat::kNpz));
  // 2 x (35 + 20 + 128) + 8, a directory entry with both sizes and one with its offset, 56 + 20 + 22.
  const FileShape large{65536, 65536};
  EXPECT_EQ(format->file_bytes(large), (uint64_t{1} << 32) + 374 + (51 + 20) + (51 + 12) + 98);
  const Bytes head = range(*format, large, 0, 55);
  EXPECT_EQ(little_endian(std::span(head).subspan(4, 2)), 45U);
  EXPECT_EQ(little_endian(std::span(head).subspan(18, 4)), 0xFFFFFFFFU);
  EXPECT_EQ(little_endian(std::span(head).subspan(35, 4)), 0x00100001U);
  EXPECT_EQ(little_endian(std::span(head).subspan(39, 8)), (uint64_t{1} << 32) + 128);
  // The last that fits without: y's data ends at 2^32 - 2.
  const FileShape fits{1, (uint64_t{1} << 32) - 2 - 8 - 2 * 163};
  EXPECT_EQ(format->file_bytes(fits), (uint64_t{1} << 32) - 2 + 124);
}

// --- npy, zip --------------------------------------------------------------------------------------------------------

TEST(Npy, HeaderIsPaddedTo64) {
  for (const uint64_t side : {uint64_t{1}, uint64_t{12107}, uint64_t{1} << 50}) {
    const std::string header = npy_header(ElementType::kFloat16, std::array{side, side, side});
    EXPECT_EQ(header.size() % 64, 0U);
    EXPECT_EQ(header.back(), '\n');
    EXPECT_EQ(static_cast<unsigned char>(header[8]) + 256U * static_cast<unsigned char>(header[9]), header.size() - 10);
  }
  EXPECT_EQ(npy_header(ElementType::kUint8, std::array{uint64_t{12107}, uint64_t{12107}, uint64_t{1}}).size(), 128U);
}

TEST(Npy, SizeIsHeaderAndArray) {
  Layout wanted = layout(DataFormat::kNpy, 4);
  wanted.element_type = ElementType::kInt16;
  EXPECT_EQ(make(wanted)->file_bytes({10, 20}), 128U + 2 * 10 * 20 * 4);
}

TEST(Synthetic, IsTwentyDigits) {
  const auto format = make(layout(DataFormat::kSynthetic));
  const Bytes all = whole(*format, {});
  ASSERT_EQ(all.size(), 20U);
  EXPECT_EQ(text(all).find_first_not_of("0123456789"), std::string_view::npos);
  Bytes other(20);
  format->fill({}, payload::Source(1, "train/img_1_of_8.synthetic"), 0, other);
  EXPECT_NE(text(all), text(other));
}

// --- layouts that can't be
// --------------------------------------------------------------------------------------------

TEST(MakeFormat, RefusesWhatCannotBe) {
  EXPECT_EQ(refusal(layout(DataFormat::kNpz, 0)).code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(refusal(layout(DataFormat::kNpz, uint64_t{1} << 60)).message, HasSubstr("num_samples_per_file"));
  Layout negative = layout(DataFormat::kTfrecord);
  negative.record_bytes = -1;
  EXPECT_THAT(refusal(negative).message, HasSubstr("record_length_bytes=-1"));
  const Error pictures = refusal(layout(DataFormat::kJpeg, 2));
  EXPECT_EQ(pictures.code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(pictures.message, HasSubstr("dataset.num_samples_per_file=2 with dataset.format=jpeg"));
}

}  // namespace
}  // namespace mlps::formats
