#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "benchmarks/vectordb/vectors.hpp"

namespace mlps::vectordb {

/// Returns the score of a row for a query, computed in double.
inline float exact_score(Metric metric, std::span<const float> query, std::span<const float> row) {
  double product = 0, square = 0, query_square = 0, row_square = 0;
  for (size_t d = 0; d < row.size(); ++d) {
    const double a = query[d], b = row[d];
    product += a * b;
    square += (a - b) * (a - b);
    query_square += a * a;
    row_square += b * b;
  }
  if (metric == Metric::kL2) return static_cast<float>(-square);
  if (metric == Metric::kInnerProduct) return static_cast<float>(product);
  const double lengths = std::sqrt(query_square * row_square);
  return lengths > 0 ? static_cast<float>(product / lengths) : 0;
}

/// Brings every metric to Euclidean distance, for indexes that know no other. Cosine: rows and queries are divided by
/// their lengths. Inner product: rows are divided by the longest row's length and get one more element that makes their
/// length 1; queries are divided by their length and get a zero. Then the square of a distance is 2 - 2 * cosine, or
/// 2 - 2 * product / (longest * length of the query).
struct MetricSpace {
  Metric metric = Metric::kCosine;
  uint32_t dimension = 0;  ///< of vectors as they come
  float longest = 1;       ///< kInnerProduct: the length of the longest row

  uint32_t stored_dimension() const { return dimension + (metric == Metric::kInnerProduct ? 1 : 0); }

  static float length(std::span<const float> vector) {
    return std::sqrt(kernels().dot(vector.data(), vector.data(), vector.size()));
  }
  void store_row(std::span<const float> row, float* out) const {
    std::copy(row.begin(), row.end(), out);
    if (metric == Metric::kL2) return;
    const float size = length(row);
    const float scale = metric == Metric::kInnerProduct ? 1 / longest : size > 0 ? 1 / size : 0;
    for (uint32_t d = 0; d < dimension; ++d) out[d] *= scale;
    if (metric == Metric::kInnerProduct) out[dimension] = std::sqrt(std::max(0.0F, 1 - size * scale * size * scale));
  }
  /// Returns the query's length.
  float store_query(std::span<const float> query, float* out) const {
    std::copy(query.begin(), query.end(), out);
    const float size = length(query);
    if (metric == Metric::kInnerProduct) out[dimension] = 0;
    if (metric == Metric::kL2 || size == 0) return size;
    for (uint32_t d = 0; d < dimension; ++d) out[d] /= size;
    return size;
  }
  /// Returns the score of a row at that (square of the) distance from a query of that length.
  float score(float square_distance, float query_length) const {
    if (metric == Metric::kL2) return -square_distance;
    const float cosine = 1 - square_distance / 2;
    return metric == Metric::kCosine ? cosine : cosine * longest * query_length;
  }
};

}  // namespace mlps::vectordb
