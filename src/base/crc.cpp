#include "base/crc.hpp"

#include <isa-l/crc.h>

#include <algorithm>

namespace mlps {
namespace {

constexpr uint32_t kCastagnoli = 0x82F63B78;
constexpr uint32_t kIeee = 0xEDB88320;

// a * b modulo the polynomial, bits reflected: bit 31 is x^0.
template <uint32_t polynomial>
uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = uint32_t{1} << 31; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ polynomial : b >> 1;
  }
  return product;
}

// x^(8 * bytes) modulo the polynomial, by squaring.
template <uint32_t polynomial>
uint32_t power_of_bytes(uint64_t bytes) {
  uint32_t result = uint32_t{1} << 31;
  uint32_t square = uint32_t{1} << 23;  // x^8
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1) != 0) result = multiply<polynomial>(result, square);
    square = multiply<polynomial>(square, square);
  }
  return result;
}

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before) {
  // ISA-L takes its length as an int and leaves both inversions to the caller; it does not write through its pointer.
  constexpr size_t kStep = size_t{1} << 30;
  uint32_t crc = ~before;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(kStep, bytes.size()));
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
    crc = crc32_iscsi(data, static_cast<int>(piece.size()), crc);
    bytes = bytes.subspan(piece.size());
  }
  return ~crc;
}

uint32_t crc32c_joined(uint32_t first, uint32_t second, uint64_t second_length) {
  return multiply<kCastagnoli>(first, power_of_bytes<kCastagnoli>(second_length)) ^ second;
}

uint32_t crc32(std::span<const std::byte> bytes, uint32_t before) {
  return crc32_gzip_refl(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

uint32_t crc32_of_zeros(uint32_t before, uint64_t length) {
  return ~multiply<kIeee>(~before, power_of_bytes<kIeee>(length));
}

}  // namespace mlps
