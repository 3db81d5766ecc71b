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
}

TEST(Crc, GoesOnWhereItStopped) {
  EXPECT_EQ(crc32c(raw("6789"), crc32c(raw("12345"))), 0xe3069283U);
  EXPECT_EQ(crc32(raw("6789"), crc32(raw("12345"))), 0xcbf43926U);
}

TEST(Crc, ZerosNeedNotBeThere) {
  for (const size_t length : {0, 1, 8, 1000}) {
    EXPECT_EQ(crc32_of_zeros(crc32(raw("head")), length), crc32(raw("head" + std::string(length, '\0')))) << length;
  }
}

}  // namespace
}  // namespace mlps
