// Records as TensorFlow defines them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crc.hpp"
#include "checks.hpp"

namespace mlps::formats {
namespace {

using namespace checks;
using ::testing::HasSubstr;
using workloads::DataFormat;

std::unique_ptr<Format> records(uint64_t count, double record_bytes, uint64_t extent_bytes = uint64_t{16} << 20) {
  Layout wanted = layout(DataFormat::kTfrecord, count);
  wanted.record_bytes = record_bytes;
  wanted.extent_bytes = extent_bytes;
  return make(wanted);
}

class Tfrecords : public ::testing::TestWithParam<std::pair<FileShape, uint64_t>> {};

TEST_P(Tfrecords, HoldWhatEveryFormatHolds) {
  const auto& [shape, count] = GetParam();
  const auto format = records(count, static_cast<double>(shape.height * shape.width));
  parts_agree(*format, shape);
  mismatches_are_found(*format, shape);
  extents_add_up(*format, shape, count);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Tfrecords,
    ::testing::Values(std::pair{FileShape{1, 1}, uint64_t{1}}, std::pair{FileShape{1, 1}, uint64_t{50}},
                      std::pair{FileShape{10, 13}, uint64_t{7}}, std::pair{FileShape{256, 256}, uint64_t{4}},
                      std::pair{FileShape{338, 338}, uint64_t{9}}, std::pair{FileShape{900, 901}, uint64_t{1}}));

TEST(Tfrecord, SizesOfResnet50) {
  const auto format = records(1251, 114660.07);
  // Example 114,288, record 114,304 bytes; 146 records of 114,720 (as 114,660 bytes would make) fit into 16 MiB.
  EXPECT_EQ(format->file_bytes({338, 338}), 114'304U * 1251);
  EXPECT_EQ(format->extent_count(), 9U);
  EXPECT_EQ(format->extent_samples(0), 146U);
  EXPECT_EQ(format->extent_samples(8), 1251U - 8 * 146);
  EXPECT_EQ(format->extent({338, 338}, 1).offset, 146U * 114'304);
  EXPECT_EQ(format->extent({338, 338}, 1).bytes, 146U * 114'304);
  EXPECT_LE(format->extent({338, 338}, 1).bytes, uint64_t{16} << 20);
}

TEST(Tfrecord, ExtentsDoNotDependOnTheShape) {
  const auto format = records(10, 10'000, 35'000);
  EXPECT_EQ(format->extent_count(), 4U);
  EXPECT_EQ(format->extent_samples(3), 1U);
  EXPECT_EQ(format->extent({200, 200}, 2).bytes, format->file_bytes({200, 200}) / 10 * 3);
  const auto large = records(3, 10'000, 5'000);
  EXPECT_EQ(large->extent_count(), 3U) << "an extent has at least one record";
}

// The Example of 3 bytes, written down by hand from the .proto files.
TEST(Tfrecord, ExampleIsEncodedAsProtobufSays) {
  const auto format = records(1, 3);
  const FileShape shape{1, 3};
  const Bytes all = whole(*format, shape);
  const std::string_view file = text(all);
  // features { feature { "image": bytes_list { value: 3 bytes } } feature { "size": int64_list { value: 3 } } }
  const std::string_view before = "\x0a\x21\x0a\x10\x0a\x05image\x12\x07\x0a\x05\x0a\x03";
  const std::string_view after("\x0a\x0d\x0a\x04size\x12\x05\x1a\x03\x0a\x01\x03", 15);
  ASSERT_EQ(file.size(), 12 + before.size() + 3 + after.size() + 4);
  EXPECT_EQ(little_endian(std::span(all).first(8)), before.size() + 3 + after.size());
  EXPECT_EQ(file.substr(12, before.size()), before);
  EXPECT_EQ(file.substr(12 + before.size() + 3, after.size()), after);
}

TEST(Tfrecord, ChecksumsAreMaskedCrc32c) {
  const auto format = records(3, 5000);
  const Bytes all = whole(*format, {50, 100});
  const auto masked = [](uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; };
  auto rest = std::span(all);
  int count = 0;
  for (; !rest.empty(); ++count) {
    const uint64_t length = little_endian(rest.first(8));
    EXPECT_EQ(little_endian(rest.subspan(8, 4)), masked(crc32c(rest.first(8))));
    EXPECT_EQ(little_endian(rest.subspan(12 + length, 4)), masked(crc32c(rest.subspan(12, length))));
    rest = rest.subspan(16 + length);
  }
  EXPECT_EQ(count, 3);
}

// The mask is the one of TensorFlow: an empty record is 8 zeros, 0x07980329 and 0xa282ead8 in every TFRecord file.
TEST(Tfrecord, MaskIsThatOfTensorFlow) {
  const Bytes zeros(8);
  const uint32_t crc = crc32c(zeros);
  EXPECT_EQ(crc, 0x8c28b28aU);
  EXPECT_EQ(((crc >> 15) | (crc << 17)) + 0xa282ead8U, 0x07980329U);
}

TEST(Tfrecord, IndexHasALinePerRecord) {
  const auto format = records(3, 9);
  const uint64_t bytes = format->file_bytes({3, 3}) / 3;
  const std::string n = std::to_string(bytes);
  EXPECT_EQ(format->index_text({3, 3}),
            "0 " + n + "\n" + n + " " + n + "\n" + std::to_string(2 * bytes) + " " + n + "\n");
}

TEST(Tfrecord, RefusesMoreExtentsThanCanBeCounted) {
  Layout wanted = layout(DataFormat::kTfrecord, uint64_t{1} << 33);
  wanted.extent_bytes = 1;
  wanted.record_bytes = 10;
  EXPECT_EQ(refusal(wanted).code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(refusal(wanted).message, HasSubstr("num_samples_per_file=8589934592"));
}

}  // namespace
}  // namespace mlps::formats
