#include "base/crc.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mlps {
namespace {

std::span<const std::byte> raw(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Crc, KnownVectors) {
  EXPECT_EQ(crc32c(raw("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32(raw("123456789")), 0xcbf43926U);
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32({}), 0U);
  EXPECT_EQ(crc64nvme(raw("123456789")), 0xae8b14860a799888U);
  EXPECT_EQ(crc64nvme({}), 0U);
}

TEST(Crc, GoesOnWhereItStopped) {
  EXPECT_EQ(crc32c(raw("6789"), crc32c(raw("12345"))), 0xe3069283U);
  EXPECT_EQ(crc32(raw("6789"), crc32(raw("12345"))), 0xcbf43926U);
}

// The reference takes one bit at a time; lengths surround those at which the fast way changes its course.
uint64_t crc64_by_bits(std::span<const std::byte> bytes) {
  uint64_t crc = ~uint64_t{0};
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<uint64_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x9A6C9329AC4BC9B5 : crc >> 1;
  }
  return ~crc;
}

TEST(Crc, SixtyFourBitsByEveryWayAndAtEveryLength) {
  std::string text(2000, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 197 + (i >> 3));
  for (size_t length = 0; length <= 1300; length += length < 160 ? 1 : 7) {
    for (const size_t begin : {0, 1, 7}) {
      const auto bytes = raw(text).subspan(begin, length);
      const uint64_t right = crc64_by_bits(bytes);
      ASSERT_EQ(crc64nvme(bytes), right) << begin << " " << length;
      ASSERT_EQ(crc64nvme_portable(bytes), right) << begin << " " << length;
      ASSERT_EQ(crc64nvme(bytes.subspan(length / 3), crc64nvme(bytes.first(length / 3))), right) << length;
      ASSERT_EQ(crc64nvme_joined(crc64nvme(bytes.first(length / 2)), crc64nvme(bytes.subspan(length / 2)),
                                 length - length / 2),
                right)
          << length;
    }
  }
}

TEST(Crc, ZerosNeedNotBeThere) {
  for (const size_t length : {0, 1, 8, 1000}) {
    EXPECT_EQ(crc32_of_zeros(crc32(raw("head")), length), crc32(raw("head" + std::string(length, '\0')))) << length;
  }
}

}  // namespace
}  // namespace mlps
