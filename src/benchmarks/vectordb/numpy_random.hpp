#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace mlps::vectordb {

/// The streams of NumPy's legacy generator, RandomState(seed): draws the same numbers in the same order, so that data
/// and queries can be those of mlpstorage's Python programs. Recipes as in NumPy's `legacy-distributions.c`.
class NumpyRandom {
 public:
  explicit NumpyRandom(uint32_t seed) : engine_(seed) {}

  double uniform();  ///< random_sample(): in [0, 1), 53 bits
  double normal();   ///< standard_normal(): the polar method, which makes two numbers at a time
  /// permutation(count): the numbers from 0 to count - 1 in random order.
  std::vector<uint32_t> permutation(uint32_t count);

 private:
  uint32_t at_most(uint32_t limit);

  std::mt19937 engine_;
  bool has_kept_ = false;
  double kept_ = 0;
};

/// Divides a row by its length as `v / numpy.linalg.norm(v, axis=1)` does for float32: the length is summed in NumPy's
/// pairwise order. A row of zeros stays as it is.
void numpy_normalise(std::span<float> row);

}  // namespace mlps::vectordb
