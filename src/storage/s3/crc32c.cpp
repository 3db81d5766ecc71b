#include "storage/s3/crc32c.hpp"

#include <fmt/format.h>
#include <isa-l/crc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "storage/s3/encoding.hpp"

namespace mlps::s3 {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

// a * b modulo the polynomial, bits reflected: bit 31 is x^0.
uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = uint32_t{1} << 31; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return product;
}

// x^(8 * bytes) modulo the polynomial, by squaring.
uint32_t power_of_bytes(uint64_t bytes) {
  uint32_t result = uint32_t{1} << 31;
  uint32_t square = uint32_t{1} << 23;  // x^8
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1) != 0) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

std::array<std::byte, 4> big_endian(uint32_t value) {
  return {std::byte(value >> 24), std::byte(value >> 16 & 255), std::byte(value >> 8 & 255), std::byte(value & 255)};
}

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes) {
  // ISA-L takes its length as an int and leaves both inversions to the caller; its pointer lacks a const only.
  constexpr size_t kStep = size_t{1} << 30;
  uint32_t crc = 0xFFFFFFFF;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(kStep, bytes.size()));
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
    crc = crc32_iscsi(data, static_cast<int>(piece.size()), crc);
    bytes = bytes.subspan(piece.size());
  }
  return ~crc;
}

uint32_t crc32c_joined(uint32_t first, uint32_t second, uint64_t second_length) {
  return multiply(first, power_of_bytes(second_length)) ^ second;
}

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
