#include "benchmarks/vectordb/numpy_random.hpp"

#include <cmath>
#include <numeric>
#include <utility>

namespace mlps::vectordb {
namespace {

/// The sum of squares in the order of NumPy's pairwise summation: eight sums over at most 128 elements, and halves of
/// what is longer.
float pairwise_square_sum(std::span<const float> values) {
  const size_t size = values.size();
  if (size < 8) {
    float sum = 0;
    for (const float value : values) sum += value * value;
    return sum;
  }
  if (size <= 128) {
    float sums[8];
    for (size_t i = 0; i < 8; ++i) sums[i] = values[i] * values[i];
    size_t at = 8;
    for (; at + 8 <= size; at += 8) {
      for (size_t i = 0; i < 8; ++i) {
        const float square = values[at + i] * values[at + i];
        sums[i] += square;
      }
    }
    float sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    for (; at < size; ++at) {
      const float square = values[at] * values[at];
      sum += square;
    }
    return sum;
  }
  const size_t half = size / 2 / 8 * 8;
  return pairwise_square_sum(values.first(half)) + pairwise_square_sum(values.subspan(half));
}

}  // namespace

double NumpyRandom::uniform() {
  const uint32_t a = static_cast<uint32_t>(engine_()) >> 5;
  const uint32_t b = static_cast<uint32_t>(engine_()) >> 6;
  return (a * 67108864.0 + b) / 9007199254740992.0;
}

double NumpyRandom::normal() {
  if (std::exchange(has_kept_, false)) return kept_;
  for (;;) {
    const double x = 2 * uniform() - 1, y = 2 * uniform() - 1;
    const double square = x * x + y * y;
    if (square >= 1 || square == 0) continue;
    const double factor = std::sqrt(-2 * std::log(square) / square);
    kept_ = factor * x;
    has_kept_ = true;
    return factor * y;
  }
}

uint32_t NumpyRandom::at_most(uint32_t limit) {
  uint32_t mask = limit;
  for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
  for (;;) {
    const uint32_t value = static_cast<uint32_t>(engine_()) & mask;
    if (value <= limit) return value;
  }
}

std::vector<uint32_t> NumpyRandom::permutation(uint32_t count) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (uint32_t i = count; i-- > 1;) std::swap(order[i], order[at_most(i)]);
  return order;
}

void numpy_normalise(std::span<float> row) {
  const float length = std::sqrt(pairwise_square_sum(row));
  if (length == 0) return;
  for (float& value : row) value /= length;
}

}  // namespace mlps::vectordb
