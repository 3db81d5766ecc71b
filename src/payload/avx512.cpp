#include <immintrin.h>

#include "payload/generator.hpp"

namespace mlps::payload {
namespace {

struct Vec {
  static constexpr size_t kLanes = 8;
  __m512i words;

  static Vec splat(uint64_t value) { return {_mm512_set1_epi64(static_cast<int64_t>(value))}; }
  static Vec load(const void* from) { return {_mm512_loadu_si512(from)}; }
  void store(void* to) const { _mm512_storeu_si512(to, words); }
  static Vec multiply_low(Vec a, Vec b) { return {_mm512_mul_epu32(a.words, b.words)}; }
  template <int bits>
  Vec shift_right() const {
    return {_mm512_srli_epi64(words, bits)};
  }
  template <int bits>
  Vec shift_left() const {
    return {_mm512_slli_epi64(words, bits)};
  }
  bool any() const { return _mm512_test_epi64_mask(words, words) != 0; }
  friend Vec operator+(Vec a, Vec b) { return {_mm512_add_epi64(a.words, b.words)}; }
  friend Vec operator^(Vec a, Vec b) { return {_mm512_xor_si512(a.words, b.words)}; }
  friend Vec operator|(Vec a, Vec b) { return {_mm512_or_si512(a.words, b.words)}; }
  friend Vec xor3(Vec a, Vec b, Vec c) { return {_mm512_ternarylogic_epi64(a.words, b.words, c.words, 0x96)}; }
};

}  // namespace

const Layer kAvx512Layer{"avx512", &fill_range<Vec>, &count_equal_range<Vec>};

}  // namespace mlps::payload
