#include <array>
#include <bit>
#include <cstring>

#include "base/crc.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mlps {
namespace {

static_assert(std::endian::native == std::endian::little, "bytes are taken eight at a time as numbers");

constexpr uint64_t kPolynomial = 0x9A6C9329AC4BC9B5;
constexpr uint64_t kOne = uint64_t{1} << 63;  // x^0: bits are reflected, so bit 63 is the lowest power

// a * b modulo the polynomial.
constexpr uint64_t product(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  for (uint64_t bit = kOne; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) out ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return out;
}

// x^exponent modulo the polynomial, by squaring.
constexpr uint64_t power_of_x(uint64_t exponent) {
  uint64_t out = kOne;
  for (uint64_t square = kOne >> 1; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) out = product(out, square);
    square = product(square, square);
  }
  return out;
}

// kTables[n][b]: the CRC, without inversions, of byte b followed by n zero bytes.
using Tables = std::array<std::array<uint64_t, 256>, 8>;
constexpr Tables make_tables() {
  Tables tables = {};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ kPolynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (size_t n = 1; n < 8; ++n) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t shorter = tables[n - 1][byte];
      tables[n][byte] = (shorter >> 8) ^ tables[0][shorter & 255];
    }
  }
  return tables;
}
constexpr Tables kTables = make_tables();

uint64_t number_at(const std::byte* bytes) {
  uint64_t out = 0;
  std::memcpy(&out, bytes, sizeof out);
  return out;
}

// The CRC without inversions, eight bytes at a time.
uint64_t by_tables(std::span<const std::byte> bytes, uint64_t crc) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    crc ^= number_at(bytes.data());
    uint64_t next = 0;
    for (size_t n = 0; n < 8; ++n) next ^= kTables[7 - n][(crc >> (8 * n)) & 255];
    crc = next;
  }
  for (const std::byte byte : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<uint64_t>(byte)) & 255];
  return crc;
}

#if defined(__x86_64__)

constexpr size_t kLaneBytes = 16;
constexpr size_t kLanes = 8;       // of by_multiplication()
constexpr size_t kWideLanes = 32;  // of by_wide_multiplication(): eight registers of four

// What moves 16 bytes ahead: their first half is multiplied by one power of x, their second by the other. The product
// of two reflected numbers stands one bit too high, hence the powers less one.
struct Shift {
  int64_t first;
  int64_t second;
  explicit constexpr Shift(uint64_t bytes)
      : first(static_cast<int64_t>(power_of_x(8 * bytes + 63))),
        second(static_cast<int64_t>(power_of_x(8 * bytes - 1))) {}
};
constexpr Shift kOverOne(kLaneBytes);
constexpr Shift kOverAll(kLanes* kLaneBytes);
constexpr Shift kOverAllWide(kWideLanes* kLaneBytes);

__attribute__((target("pclmul,sse4.1"))) inline __m128i folded(__m128i value, __m128i shift, __m128i onto) {
  const __m128i first = _mm_clmulepi64_si128(value, shift, 0x00);
  const __m128i second = _mm_clmulepi64_si128(value, shift, 0x11);
  return _mm_xor_si128(_mm_xor_si128(first, second), onto);
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i lane_at(const std::byte* bytes, size_t lane) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + lane * kLaneBytes));
}

// Returns the CRC of `count` lanes, one behind the other, and of `rest` behind them.
__attribute__((target("pclmul,sse4.1"))) uint64_t joined_lanes(const std::byte* lanes, size_t count,
                                                               std::span<const std::byte> rest) {
  const __m128i shift = _mm_set_epi64x(kOverOne.second, kOverOne.first);
  __m128i all = lane_at(lanes, 0);
  for (size_t lane = 1; lane < count; ++lane) all = folded(all, shift, lane_at(lanes, lane));
  std::array<std::byte, kLaneBytes> last = {};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(last.data()), all);
  return by_tables(rest, by_tables(last, 0));
}

// The same by carry-less multiplication: lanes of 16 bytes are folded forward together.
__attribute__((target("pclmul,sse4.1"))) uint64_t by_multiplication(std::span<const std::byte> bytes, uint64_t crc) {
  constexpr size_t kStride = kLanes * kLaneBytes;
  const __m128i shift = _mm_set_epi64x(kOverAll.second, kOverAll.first);
  __m128i lanes[kLanes];
  for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = lane_at(bytes.data(), lane);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128(static_cast<int64_t>(crc)));
  for (bytes = bytes.subspan(kStride); bytes.size() >= kStride; bytes = bytes.subspan(kStride)) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = folded(lanes[lane], shift, lane_at(bytes.data(), lane));
    }
  }
  return joined_lanes(reinterpret_cast<const std::byte*>(lanes), kLanes, bytes);
}

// The same with four lanes to a register.
__attribute__((target("avx512f,vpclmulqdq,pclmul,sse4.1"))) uint64_t by_wide_multiplication(
    std::span<const std::byte> bytes, uint64_t crc) {
  constexpr size_t kStride = kWideLanes * kLaneBytes, kRegisters = kWideLanes / 4;
  const __m512i shift =
      _mm512_set4_epi64(kOverAllWide.second, kOverAllWide.first, kOverAllWide.second, kOverAllWide.first);
  __m512i lanes[kRegisters];
  for (size_t i = 0; i < kRegisters; ++i) lanes[i] = _mm512_loadu_si512(bytes.data() + 64 * i);
  lanes[0] = _mm512_xor_si512(lanes[0], _mm512_set_epi64(0, 0, 0, 0, 0, 0, 0, static_cast<int64_t>(crc)));
  for (bytes = bytes.subspan(kStride); bytes.size() >= kStride; bytes = bytes.subspan(kStride)) {
    for (size_t i = 0; i < kRegisters; ++i) {
      const __m512i first = _mm512_clmulepi64_epi128(lanes[i], shift, 0x00);
      const __m512i second = _mm512_clmulepi64_epi128(lanes[i], shift, 0x11);
      const __m512i next = _mm512_loadu_si512(bytes.data() + 64 * i);
      lanes[i] = _mm512_xor_si512(_mm512_xor_si512(first, second), next);
    }
  }
  return joined_lanes(reinterpret_cast<const std::byte*>(lanes), kWideLanes, bytes);
}

#endif

}  // namespace

uint64_t crc64nvme_portable(std::span<const std::byte> bytes, uint64_t before) {
  return ~by_tables(bytes, ~before);
}

uint64_t crc64nvme(std::span<const std::byte> bytes, uint64_t before) {
#if defined(__x86_64__)
  static const bool multiplies = __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  static const bool wide =
      multiplies && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("vpclmulqdq") != 0;
  if (wide && bytes.size() >= kWideLanes * kLaneBytes) return ~by_wide_multiplication(bytes, ~before);
  if (multiplies && bytes.size() >= kLanes * kLaneBytes) return ~by_multiplication(bytes, ~before);
#endif
  return crc64nvme_portable(bytes, before);
}

uint64_t crc64nvme_joined(uint64_t first, uint64_t second, uint64_t second_length) {
  return product(first, power_of_x(8 * second_length)) ^ second;
}

}  // namespace mlps
