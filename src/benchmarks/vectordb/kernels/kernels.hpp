#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "benchmarks/vectordb/vector_source.hpp"

/// The numeric inner loops, in one source for every instruction set: compiled once for each, chosen at run time.
namespace mlps::vectordb {

/// The lanes that loops over elements are padded to; buffers of rows for kernels are padded with zeros.
inline constexpr size_t kPadLanes = 16;
[[gnu::always_inline]] constexpr size_t padded(size_t elements) {
  return (elements + kPadLanes - 1) / kPadLanes * kPadLanes;
}

/// What the generator of rows needs; made once per source. A row is made of `row_words` random 32-bit words: a head of
/// kHeadWords, for kClustered the words of z, then one per element (padded).
struct GeneratorTables {
  static constexpr size_t kHeadWords = 16;
  static constexpr size_t kMaxAmbient = 256;  ///< limits `ambient` and `intrinsic_dimension`, for buffers on the stack
  Distribution distribution = Distribution::kUniform;
  size_t dimension = 0;
  size_t row_words = 0;
  bool normalise = true;
  // kClustered: a row is the sum over j of ambient[j] * y[j], with y = centre + sum over i of basis[i] * z[i], and
  // noise. All arrays are padded: rows of `ambient` to the dimension's, all others to that of the ambient.
  size_t ambient_count = 0;
  size_t intrinsic = 0;
  float noise = 0;
  const float* ambient = nullptr;        ///< ambient_count x padded(dimension)
  const float* centres = nullptr;        ///< clusters x padded(ambient_count)
  const float* bases = nullptr;          ///< clusters x intrinsic x padded(ambient_count), times the cluster's spread
  const uint16_t* cluster_of = nullptr;  ///< the cluster that the upper 16 bits of a random word choose
};

struct Kernels {
  std::string_view name;
  /// Makes `rows` rows of words, with room for 2 * padded(dimension) floats at `scratch`.
  void (*generate)(const GeneratorTables& tables, const uint32_t* words, size_t rows, float* scratch, float* out);
  /// Return the inner product, and the square of the distance, of two rows of `size` elements.
  float (*dot)(const float* a, const float* b, size_t size);
  float (*square_distance)(const float* a, const float* b, size_t size);
  /// Adds to sums[q * tile_rows + r] the products of `elements` elements of tile_rows rows and tile_queries queries,
  /// both packed: for each element, the values of all rows (or queries). Returns a bit for each query q that has a sum
  /// above limits[q] afterwards.
  uint32_t (*product_tile)(const float* rows, const float* queries, size_t elements, const float* limits, float* sums);
  size_t tile_rows;
  size_t tile_queries;
  /// Writes to out[c] the square of the distance of x from each of 256 centres, whose elements come together: the first
  /// of all centres, then the second.
  void (*centre_distances)(const float* centres, const float* x, size_t elements, float* out);
  /// Returns the nearest of these centres.
  uint32_t (*nearest_centre)(const float* centres, const float* x, size_t elements);
  /// Adds up, for `count` codes, table[m * 256 + code[m]] over the `bytes` bytes of each; `codes[i]` is the i-th code.
  void (*code_distances)(const float* table, const uint8_t* const* codes, size_t count, size_t bytes, float* out);
};

/// Returns the kernels of the best instruction set that this processor has.
const Kernels& kernels();
/// Returns those of every instruction set that this processor has, best first; for tests and benchmarks.
std::vector<const Kernels*> available_kernels();

}  // namespace mlps::vectordb
