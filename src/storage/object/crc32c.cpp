#include "storage/object/crc32c.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <vector>

#include "base/crc.hpp"
#include "base/encoding.hpp"

namespace mlps::object {

std::string crc32c_text(uint32_t crc) {
  const uint32_t big_endian = htonl(crc);
  return base64(std::as_bytes(std::span(&big_endian, 1)));
}

std::string crc32c_composite(std::span<const uint32_t> part_crcs) {
  std::vector<uint32_t> raw;
  raw.reserve(part_crcs.size());
  for (const uint32_t crc : part_crcs) raw.push_back(htonl(crc));
  return fmt::format("{}-{}", crc32c_text(crc32c(std::as_bytes(std::span(raw)))), part_crcs.size());
}

}  // namespace mlps::object
