#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/binary.hpp"
#include "benchmarks/vectordb/vectors.hpp"

namespace mlps::vectordb {

/// Product quantisation (Jegou et al. 2011) after a rotation: a vector's code has one byte for each part of its rotated
/// elements, the nearest of 256 centres. The rotation is that of the principal components, dealt out so that all parts
/// have about the same product of variances (Ge et al. 2013, parametric form): a part that held only strong components
/// would be coded badly, and one of weak ones would waste its byte. Immutable after training; any thread may use it.
class Quantiser {
 public:
  /// Learns from `sample`. `bytes` is from 1 to the dimension.
  static Result<Quantiser> train(VectorView sample, uint32_t bytes, uint64_t seed, unsigned threads);

  uint32_t bytes() const { return static_cast<uint32_t>(first_.size() - 1); }
  uint32_t dimension() const { return dimension_; }
  /// Writes the `bytes()` bytes of a vector's code.
  void encode(std::span<const float> vector, uint8_t* code) const;
  /// Makes the table of a query, bytes() x 256: the sum of table[m * 256 + code[m]] is about the square of the
  /// distance.
  void make_table(std::span<const float> query, std::vector<float>& table) const;
  uint64_t memory_bytes() const { return (rotation_.size() + centres_.size()) * sizeof(float); }

  void write(BinaryWriter& out) const;
  static Result<Quantiser> read(BinaryReader& in);  ///< E606 for what is none

 private:
  void rotate(std::span<const float> vector, float* out) const;

  uint32_t dimension_ = 0;
  std::vector<float> rotation_;  ///< dimension x dimension: row i makes element i
  std::vector<uint32_t> first_;  ///< the first element of each part, and the dimension
  std::vector<float> centres_;   ///< for each element, that of the 256 centres of its part
};

}  // namespace mlps::vectordb
