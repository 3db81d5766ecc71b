// Compiled once for each instruction set, with MLPS_ISA its name; see CMakeLists.txt.
#include <cstring>

#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "benchmarks/vectordb/kernels/layers.hpp"

namespace mlps::vectordb::MLPS_ISA {
namespace {

#define MLPS_INLINE [[gnu::always_inline]] inline

// A vector of the machine: wider ones of the compiler's would be taken apart, and spilled.
#if defined(__AVX512F__)
constexpr size_t kLanes = 16;
constexpr size_t kTileQueries = 12;  // 24 sums, 2 vectors of rows: 26 of 32 registers
constexpr const char* kName = "avx512";
#elif defined(__AVX2__)
constexpr size_t kLanes = 8;
constexpr size_t kTileQueries = 6;  // 12 sums, 2 vectors of rows, 1 of a query: 15 of 16 registers
constexpr const char* kName = "avx2";
#else
constexpr size_t kLanes = 4;
constexpr size_t kTileQueries = 6;
constexpr const char* kName = "baseline";
#endif
constexpr size_t kTileVectors = 2;
constexpr size_t kTileRows = kTileVectors * kLanes;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));

MLPS_INLINE void load(const float* from, Floats& to) {
  std::memcpy(&to, from, sizeof to);
}

MLPS_INLINE float total(const Floats& sum) {
  float result = 0;
  for (size_t i = 0; i < kLanes; ++i) result += sum[i];
  return result;
}

/// Sums term(a, b, sum) over pairs of elements, with four sums so that one addition needn't wait for the one before.
template <class Term>
MLPS_INLINE float reduce(const float* a, const float* b, size_t size, Term term) {
  Floats sums[4] = {};
  size_t i = 0;
  for (; i + 4 * kLanes <= size; i += 4 * kLanes) {
    for (size_t s = 0; s < 4; ++s) {
      Floats x, y;
      load(a + i + s * kLanes, x);
      load(b + i + s * kLanes, y);
      term(x, y, sums[s]);
    }
  }
  for (; i + kLanes <= size; i += kLanes) {
    Floats x, y;
    load(a + i, x);
    load(b + i, y);
    term(x, y, sums[0]);
  }
  if (i < size) {
    Floats x = {}, y = {};
    std::memcpy(&x, a + i, (size - i) * sizeof(float));
    std::memcpy(&y, b + i, (size - i) * sizeof(float));
    term(x, y, sums[1]);
  }
  return total((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

float dot(const float* a, const float* b, size_t size) {
  return reduce(
      a, b, size, [](const Floats& x, const Floats& y, Floats& sum) __attribute__((always_inline)) { sum += x * y; });
}

float square_distance(const float* a, const float* b, size_t size) {
  return reduce(
      a, b, size, [](const Floats& x, const Floats& y, Floats& sum) __attribute__((always_inline)) {
        const Floats difference = x - y;
        sum += difference * difference;
      });
}

uint32_t product_tile(const float* rows, const float* queries, size_t elements, const float* limits, float* out) {
  Floats sums[kTileQueries][kTileVectors];
#pragma GCC unroll 16
  for (size_t q = 0; q < kTileQueries; ++q) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kTileVectors; ++v) load(out + q * kTileRows + v * kLanes, sums[q][v]);
  }
  for (size_t d = 0; d < elements; ++d, rows += kTileRows, queries += kTileQueries) {
    Floats row[kTileVectors];
#pragma GCC unroll 16
    for (size_t v = 0; v < kTileVectors; ++v) load(rows + v * kLanes, row[v]);
#pragma GCC unroll 16
    for (size_t q = 0; q < kTileQueries; ++q) {
#pragma GCC unroll 16
      for (size_t v = 0; v < kTileVectors; ++v) sums[q][v] += row[v] * queries[q];
    }
  }
  uint32_t above = 0;
#pragma GCC unroll 16
  for (size_t q = 0; q < kTileQueries; ++q) {
    const auto hits = (sums[q][0] > limits[q]) | (sums[q][1] > limits[q]);
#pragma GCC unroll 16
    for (size_t v = 0; v < kTileVectors; ++v)
      std::memcpy(out + q * kTileRows + v * kLanes, &sums[q][v], sizeof(Floats));
    int any = 0;
    for (size_t i = 0; i < kLanes; ++i) any |= hits[i];
    above |= (any != 0 ? 1U : 0U) << q;
  }
  return above;
}

void centre_distances(const float* centres, const float* x, size_t elements, float* out) {
  constexpr size_t kBlock = 4;
  for (size_t c = 0; c < 256; c += kBlock * kLanes) {
    Floats sums[kBlock] = {};
    for (size_t d = 0; d < elements; ++d) {
#pragma GCC unroll 4
      for (size_t b = 0; b < kBlock; ++b) {
        Floats difference;
        load(centres + d * 256 + c + b * kLanes, difference);
        difference -= x[d];
        sums[b] += difference * difference;
      }
    }
    std::memcpy(out + c, sums, sizeof sums);
  }
}

uint32_t nearest_centre(const float* centres, const float* x, size_t elements) {
  using Ints = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));
  float distances[256];
  centre_distances(centres, x, elements, distances);
  Floats best;
  load(distances, best);
  Ints block = {};
  for (int32_t c = kLanes; c < 256; c += kLanes) {
    Floats other;
    load(distances + c, other);
    const auto is_nearer = other < best;
    best = is_nearer ? other : best;
    block = is_nearer ? Ints{} + c : block;
  }
  size_t lane = 0;
  for (size_t i = 1; i < kLanes; ++i) {
    if (best[i] < best[lane]) lane = i;
  }
  return static_cast<uint32_t>(block[lane]) + static_cast<uint32_t>(lane);
}

/// Four codes at a time: the look-ups of one would wait for its sum.
void code_distances(const float* table, const uint8_t* const* codes, size_t count, size_t bytes, float* out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    float a = 0, b = 0, c = 0, d = 0;
    for (size_t m = 0; m < bytes; ++m) {
      const float* row = table + m * 256;
      a += row[codes[i][m]];
      b += row[codes[i + 1][m]];
      c += row[codes[i + 2][m]];
      d += row[codes[i + 3][m]];
    }
    out[i] = a, out[i + 1] = b, out[i + 2] = c, out[i + 3] = d;
  }
  for (; i < count; ++i) {
    float sum = 0;
    for (size_t m = 0; m < bytes; ++m) sum += table[m * 256 + codes[i][m]];
    out[i] = sum;
  }
}

}  // namespace

const Kernels kKernels = {.name = kName,
                          .generate = generate,
                          .dot = dot,
                          .square_distance = square_distance,
                          .product_tile = product_tile,
                          .tile_rows = kTileRows,
                          .tile_queries = kTileQueries,
                          .centre_distances = centre_distances,
                          .nearest_centre = nearest_centre,
                          .code_distances = code_distances};

}  // namespace mlps::vectordb::MLPS_ISA
