#include "payload/generator.hpp"

namespace mlps::payload {
namespace {

/// One lane a "vector": the reference the other layers are tested against, and the layer of any other processor.
struct Vec {
  static constexpr size_t kLanes = 1;
  uint64_t word;

  static Vec splat(uint64_t value) { return {value}; }
  static Vec load(const void* from) {
    Vec vec;
    std::memcpy(&vec.word, from, sizeof vec.word);
    return vec;
  }
  void store(void* to) const { std::memcpy(to, &word, sizeof word); }
  static Vec multiply_low(Vec a, Vec b) { return {(a.word & 0xffffffffu) * (b.word & 0xffffffffu)}; }
  template <int bits>
  Vec shift_right() const {
    return {word >> bits};
  }
  template <int bits>
  Vec shift_left() const {
    return {word << bits};
  }
  bool any() const { return word != 0; }
  friend Vec operator+(Vec a, Vec b) { return {a.word + b.word}; }
  friend Vec operator^(Vec a, Vec b) { return {a.word ^ b.word}; }
  friend Vec operator|(Vec a, Vec b) { return {a.word | b.word}; }
  friend Vec xor3(Vec a, Vec b, Vec c) { return a ^ b ^ c; }
};

}  // namespace

const Layer kScalarLayer{"scalar", &fill_range<Vec>, &count_equal_range<Vec>};

}  // namespace mlps::payload
