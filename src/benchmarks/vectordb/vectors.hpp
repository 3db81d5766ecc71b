#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mlps::vectordb {

/// The most elements of a vector.
inline constexpr uint32_t kMaxDimension = 32768;

/// How near two vectors are. Scores are "higher is nearer" everywhere in this program: the cosine, the inner product,
/// or the negative square of the Euclidean distance.
enum class Metric : uint8_t { kCosine, kL2, kInnerProduct };

std::string_view metric_name(Metric metric);  ///< "COSINE", "L2", "IP", as Milvus and mlpstorage 3.0 write them
/// Returns the metric of that name, in upper or lower case, or nothing.
std::optional<Metric> metric_of(std::string_view name);

/// A block of vectors of one dimension, row after row, that somebody else owns.
class VectorView {
 public:
  VectorView() = default;
  /// `values` holds a whole number of rows.
  VectorView(std::span<const float> values, uint32_t dimension) : values_(values), dimension_(dimension) {}

  uint32_t dimension() const { return dimension_; }
  size_t rows() const { return dimension_ == 0 ? 0 : values_.size() / dimension_; }
  std::span<const float> row(size_t index) const { return values_.subspan(index * dimension_, dimension_); }
  /// Returns `count` rows from `first` on.
  VectorView slice(size_t first, size_t count) const {
    return {values_.subspan(first * dimension_, count * dimension_), dimension_};
  }
  std::span<const float> values() const { return values_; }

 private:
  std::span<const float> values_;
  uint32_t dimension_ = 0;
};

/// A block of vectors that owns them.
struct VectorBlock {
  uint32_t dimension = 0;
  std::vector<float> values = {};

  VectorBlock() = default;
  VectorBlock(uint32_t wanted_dimension, size_t rows) : dimension(wanted_dimension), values(rows * wanted_dimension) {}
  VectorView view() const { return {values, dimension}; }
  size_t rows() const { return view().rows(); }
  std::span<float> row(size_t index) { return std::span(values).subspan(index * dimension, dimension); }
};

}  // namespace mlps::vectordb
