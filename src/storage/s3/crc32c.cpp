#include "storage/s3/crc32c.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/crc.hpp"
#include "storage/s3/encoding.hpp"

namespace mlps::s3 {
namespace {

std::array<std::byte, 4> big_endian(uint32_t value) {
  return {std::byte(value >> 24), std::byte(value >> 16 & 255), std::byte(value >> 8 & 255), std::byte(value & 255)};
}

}  // namespace

std::string crc32c_text(uint32_t crc) {
  return base64(big_endian(crc));
}

std::string crc32c_composite(std::span<const uint32_t> part_crcs) {
  std::vector<std::byte> raw;
  raw.reserve(part_crcs.size() * 4);
  for (const uint32_t crc : part_crcs) {
    const auto bytes = big_endian(crc);
    raw.insert(raw.end(), bytes.begin(), bytes.end());
  }
  return fmt::format("{}-{}", crc32c_text(crc32c(raw)), part_crcs.size());
}

}  // namespace mlps::s3
