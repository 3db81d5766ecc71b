#include <immintrin.h>

#include "payload/generator.hpp"

namespace mlps::payload {
namespace {

struct Vec {
  static constexpr size_t kLanes = 4;
  __m256i words;

  static Vec splat(uint64_t value) { return {_mm256_set1_epi64x(static_cast<int64_t>(value))}; }
  static Vec load(const void* from) { return {_mm256_loadu_si256(static_cast<const __m256i*>(from))}; }
  void store(void* to) const { _mm256_storeu_si256(static_cast<__m256i*>(to), words); }
  static Vec multiply_low(Vec a, Vec b) { return {_mm256_mul_epu32(a.words, b.words)}; }
  template <int bits>
  Vec shift_right() const {
    return {_mm256_srli_epi64(words, bits)};
  }
  template <int bits>
  Vec shift_left() const {
    return {_mm256_slli_epi64(words, bits)};
  }
  bool any() const { return _mm256_testz_si256(words, words) == 0; }
  friend Vec operator+(Vec a, Vec b) { return {_mm256_add_epi64(a.words, b.words)}; }
  friend Vec operator^(Vec a, Vec b) { return {_mm256_xor_si256(a.words, b.words)}; }
  friend Vec operator|(Vec a, Vec b) { return {_mm256_or_si256(a.words, b.words)}; }
  friend Vec xor3(Vec a, Vec b, Vec c) { return a ^ b ^ c; }
};

}  // namespace

const Layer kAvx2Layer{"avx2", &fill_range<Vec>, &count_equal_range<Vec>};

}  // namespace mlps::payload
