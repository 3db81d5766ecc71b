#include "storage/object/crc32c.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <vector>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::object {

uint64_t crc32c_sum(std::span<const std::byte> bytes, uint64_t before) {
  return crc32c(bytes, static_cast<uint32_t>(before));
}

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

std::optional<uint32_t> crc32c_of(std::string_view text) {
  if (text.size() != 8 || !text.ends_with("==")) return std::nullopt;
  std::array<unsigned char, 6> bytes = {};
  if (EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), 8) != 6) return std::nullopt;
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

std::optional<uint32_t> announced_crc32c(std::string_view header_lines) {
  constexpr std::string_view kHeader = "x-goog-hash:";
  constexpr std::string_view kHash = "crc32c=";
  for (const std::string& line : split(header_lines, "\r\n")) {
    if (!lower(std::string_view(line).substr(0, kHeader.size())).starts_with(kHeader)) continue;
    for (const std::string& hash : split(std::string_view(line).substr(kHeader.size()), ", \t")) {
      if (hash.starts_with(kHash)) return crc32c_of(std::string_view(hash).substr(kHash.size()));
    }
  }
  return std::nullopt;
}

}  // namespace mlps::object
