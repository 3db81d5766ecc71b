// Compiled once for each instruction set, with MLPS_ISA its name; see CMakeLists.txt. No product and sum may be fused
// here (-ffp-contract=off), and sums have a fixed order, so that rows are the same bytes everywhere.
#include <cstring>

#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "benchmarks/vectordb/kernels/layers.hpp"

namespace mlps::vectordb::MLPS_ISA {
namespace {

constexpr size_t kLanes = kPadLanes;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Words = uint32_t __attribute__((vector_size(kLanes * sizeof(uint32_t))));
using Ints = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));

#define MLPS_INLINE [[gnu::always_inline]] inline

template <class Vector, class Element>
MLPS_INLINE void load(const Element* from, Vector& to) {
  std::memcpy(&to, from, sizeof to);
}
MLPS_INLINE void store(const Floats& from, float* to) {
  std::memcpy(to, &from, sizeof from);
}
MLPS_INLINE void to_floats(const Ints& from, Floats& to) {
  to = __builtin_convertvector(from, Floats);
}

/// Numbers in [0, 1) with 24 bits.
MLPS_INLINE void uniform(const Words& words, Floats& out) {
  const Ints upper = __builtin_convertvector(words >> 8, Ints);
  to_floats(upper, out);
  out *= 0x1p-24F;
}

/// The natural logarithm of numbers in (0, 1], by ln m = 2 artanh((m - 1) / (m + 1)) with m in [0.7, 1.5).
MLPS_INLINE void logarithm(const Floats& x, Floats& out) {
  Ints bits;
  std::memcpy(&bits, &x, sizeof bits);
  const Ints exponent = (bits - 0x3f330000) >> 23;
  const Ints mantissa_bits = bits - (exponent << 23);
  Floats m, e;
  std::memcpy(&m, &mantissa_bits, sizeof m);
  to_floats(exponent, e);
  const Floats s = (m - 1.0F) / (m + 1.0F);
  const Floats s2 = s * s;
  const Floats series = ((s2 * (2.0F / 9) + 2.0F / 7) * s2 + 2.0F / 5) * s2 + 2.0F / 3;
  out = e * 0.6931471805599453F + (s * 2.0F + s * (s2 * series));
}

/// Sine and cosine of angles in [-pi/2, pi/2], by their series.
MLPS_INLINE void sine_cosine(const Floats& x, Floats& sine, Floats& cosine) {
  const Floats y = x * x;
  const Floats s = ((((y * (-1.0F / 39916800) + 1.0F / 362880) * y - 1.0F / 5040) * y + 1.0F / 120) * y - 1.0F / 6) * y;
  sine = x + x * s;
  const Floats c =
      ((((y * (1.0F / 479001600) - 1.0F / 3628800) * y + 1.0F / 40320) * y - 1.0F / 720) * y + 1.0F / 24) * y - 0.5F;
  cosine = c * y + 1.0F;
}

MLPS_INLINE void square_root(Floats& x) {
  for (size_t i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
}

/// Two vectors of normal numbers of two of words (Box and Muller 1958). The angle has 23 bits and covers half the
/// circle; one more bit is the sign of the cosine.
MLPS_INLINE void normal(const Words& radius_words, const Words& angle_words, Floats& first, Floats& second) {
  Floats u, radius, angle, sine, cosine;
  uniform(radius_words, u);
  logarithm(u + 0x1p-24F, radius);
  radius *= -2.0F;
  radius = radius < 0.0F ? Floats{} : radius;
  square_root(radius);
  uniform(angle_words, angle);
  sine_cosine((angle - 0.5F) * 3.14159265358979F, sine, cosine);
  const Words sign = (angle_words & 1U) << 31;
  Words flipped;
  std::memcpy(&flipped, &cosine, sizeof flipped);
  flipped ^= sign;
  std::memcpy(&cosine, &flipped, sizeof cosine);
  first = radius * sine;
  second = radius * cosine;
}

/// Near-normal numbers of mean 0 and variance 1: the sum of a word's four bytes.
MLPS_INLINE void sum_of_bytes(const Words& words, Floats& out) {
  const Words pairs = (words & 0x00ff00ffU) + ((words >> 8) & 0x00ff00ffU);
  const Words sum = (pairs & 0xffffU) + (pairs >> 16);
  to_floats(__builtin_convertvector(sum, Ints) - 510, out);
  out *= 1.0F / 147.7994587F;  // the square root of 4 * (256^2 - 1) / 12
}

/// Fills `count` (padded) normal numbers. The last vector of an odd number of them comes from words that follow.
MLPS_INLINE void fill_normal(const uint32_t* words, size_t count, float* out) {
  for (size_t i = 0; i < count; i += 2 * kLanes) {
    Words a, b;
    load(words + i, a);
    load(words + i + kLanes, b);
    Floats first, second;
    normal(a, b, first, second);
    store(first, out + i);
    if (i + kLanes < count) store(second, out + i + kLanes);
  }
}

/// out += sum over i of weights[i] * rows[i], each row of `count` (padded) elements, in blocks that stay in registers.
MLPS_INLINE void add_weighted(const float* rows, const float* weights, size_t row_count, size_t count, float* out) {
  constexpr size_t kBlock = 4;
  size_t at = 0;
  for (; at + kBlock * kLanes <= count; at += kBlock * kLanes) {
    Floats sum[kBlock];
    for (size_t b = 0; b < kBlock; ++b) load(out + at + b * kLanes, sum[b]);
    for (size_t i = 0; i < row_count; ++i) {
      for (size_t b = 0; b < kBlock; ++b) {
        Floats value;
        load(rows + i * count + at + b * kLanes, value);
        sum[b] += value * weights[i];
      }
    }
    for (size_t b = 0; b < kBlock; ++b) store(sum[b], out + at + b * kLanes);
  }
  for (; at < count; at += kLanes) {
    Floats sum;
    load(out + at, sum);
    for (size_t i = 0; i < row_count; ++i) {
      Floats value;
      load(rows + i * count + at, value);
      sum += value * weights[i];
    }
    store(sum, out + at);
  }
}

MLPS_INLINE void clustered_row(const GeneratorTables& t, const uint32_t* words, float* row) {
  const uint32_t cluster = t.cluster_of[words[0] >> 16];
  const size_t ambient = padded(t.ambient_count), z_words = 2 * padded(t.intrinsic);
  alignas(64) float z[2 * GeneratorTables::kMaxAmbient];
  alignas(64) float y[GeneratorTables::kMaxAmbient];
  words += GeneratorTables::kHeadWords;
  fill_normal(words, padded(t.intrinsic), z);
  std::memcpy(y, t.centres + cluster * ambient, ambient * sizeof(float));
  add_weighted(t.bases + cluster * t.intrinsic * ambient, z, t.intrinsic, ambient, y);
  words += z_words;
  for (size_t i = 0; i < padded(t.dimension); i += kLanes) {
    Words word;
    load(words + i, word);
    Floats value;
    sum_of_bytes(word, value);
    store(value * t.noise, row + i);
  }
  add_weighted(t.ambient, y, t.ambient_count, padded(t.dimension), row);
}

MLPS_INLINE void uniform_row(const GeneratorTables& t, const uint32_t* words, float* row) {
  words += GeneratorTables::kHeadWords;
  for (size_t i = 0; i < padded(t.dimension); i += kLanes) {
    Words word;
    load(words + i, word);
    Floats value;
    uniform(word, value);
    store(value, row + i);
  }
}

/// The length of a row, summed in one order whatever the instruction set.
MLPS_INLINE float length(const float* row, size_t dimension) {
  Floats sums[4] = {};
  const size_t whole = padded(dimension);
  for (size_t i = 0, turn = 0; i < whole; i += kLanes, turn = (turn + 1) % 4) {
    Floats value;
    load(row + i, value);
    sums[turn] += value * value;
  }
  const Floats sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float total = 0;
  for (size_t i = 0; i < kLanes; ++i) total += sum[i];
  return __builtin_sqrtf(total);
}

MLPS_INLINE void finish_row(const GeneratorTables& t, float* row, float* out) {
  for (size_t i = t.dimension; i < padded(t.dimension); ++i) row[i] = 0;
  const float size = t.normalise ? length(row, t.dimension) : 1.0F;
  const float scale = size > 0 ? 1.0F / size : 1.0F;
  size_t i = 0;
  for (; i + kLanes <= t.dimension; i += kLanes) {
    Floats value;
    load(row + i, value);
    store(value * scale, out + i);
  }
  for (; i < t.dimension; ++i) out[i] = row[i] * scale;
}

}  // namespace

void generate(const GeneratorTables& t, const uint32_t* words, size_t rows, float* scratch, float* out) {
  for (size_t r = 0; r < rows; ++r, words += t.row_words, out += t.dimension) {
    switch (t.distribution) {
      case Distribution::kUniform:
      case Distribution::kZipfian:
        uniform_row(t, words, scratch);
        break;
      case Distribution::kNormal:
        fill_normal(words + GeneratorTables::kHeadWords, padded(t.dimension), scratch);
        break;
      case Distribution::kClustered:
        clustered_row(t, words, scratch);
        break;
      case Distribution::kFile:  // has no generator
        break;
    }
    finish_row(t, scratch, out);
  }
}

}  // namespace mlps::vectordb::MLPS_ISA
