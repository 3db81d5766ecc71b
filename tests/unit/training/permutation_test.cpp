#include "benchmarks/training/permutation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace mlps::training {
namespace {

std::vector<uint64_t> elements(const Permutation& permutation) {
  std::vector<uint64_t> result(permutation.size());
  for (uint64_t i = 0; i < result.size(); ++i) result[i] = permutation(i);
  return result;
}

TEST(Permutation, EveryElementComesExactlyOnce) {
  for (const uint64_t size : {0U,   1U,   2U,   3U,   4U,   5U,    7U,    8U,     9U,     15U,    16U,    17U,
                              100U, 168U, 255U, 256U, 257U, 1000U, 7200U, 65535U, 65536U, 65537U, 100003U}) {
    for (const uint64_t key : {0U, 1U, 123U}) {
      std::vector<bool> seen(size, false);
      for (const uint64_t element : elements(Permutation(size, key))) {
        ASSERT_LT(element, size);
        ASSERT_FALSE(seen[element]) << "size " << size << " key " << key << " element " << element;
        seen[element] = true;
      }
    }
  }
}

TEST(Permutation, IsABijectionForEverySmallSize) {
  for (uint64_t size = 0; size < 700; ++size) {
    std::vector<uint64_t> all = elements(Permutation(size, size * 7));
    std::sort(all.begin(), all.end());
    for (uint64_t i = 0; i < size; ++i) ASSERT_EQ(all[i], i) << "size " << size;
  }
}

TEST(Permutation, HugeSizesStayInRange) {
  const uint64_t size = (uint64_t{1} << 62) + 12345;
  const Permutation permutation(size, 5);
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_LT(permutation(size - 1 - i), size);
}

TEST(Permutation, KeysAndSizesDecide) {
  EXPECT_EQ(elements(Permutation(1000, 1)), elements(Permutation(1000, 1)));
  // Of 1000 elements, two unrelated orders agree at about one place.
  const auto first = elements(Permutation(1000, 1));
  const auto second = elements(Permutation(1000, 2));
  int same = 0, fixed = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    same += first[i] == second[i] ? 1 : 0;
    fixed += first[i] == i ? 1 : 0;
  }
  EXPECT_LT(same, 10);
  EXPECT_LT(fixed, 10);
}

TEST(Permutation, EveryOrderOfThreeComesUp) {
  std::vector<int> counts(27, 0);
  for (uint64_t key = 0; key < 6000; ++key) {
    const auto order = elements(Permutation(3, key));
    ++counts[order[0] * 9 + order[1] * 3 + order[2]];
  }
  for (const size_t order : {5U, 7U, 11U, 15U, 19U, 21U}) EXPECT_GT(counts[order], 500) << order;
}

// Chi-square of where the files of one stretch go: within 5 standard deviations of its mean.
TEST(Permutation, NeighboursAreSpreadEvenlyOverRanksAndPlaces) {
  for (const uint64_t size : {4096U, 7200U, 100003U}) {
    constexpr uint64_t kCells = 16;
    std::vector<double> counts(kCells * kCells, 0);
    const Permutation permutation(size, 7);
    for (uint64_t i = 0; i < size; ++i) {
      ++counts[permutation(i) * kCells / size * kCells + i * kCells / size];
    }
    const double expected = static_cast<double>(size) / (kCells * kCells);
    double chi_square = 0;
    for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
    constexpr double kFreedom = (kCells - 1) * (kCells - 1);
    EXPECT_LT(std::abs(chi_square - kFreedom), 5 * std::sqrt(2 * kFreedom)) << size;
  }
}

TEST(Permutation, SuccessorsAreUnrelated) {
  // The difference of neighbours, folded to 16 classes, is even too: an order with a stride would show here.
  constexpr uint64_t kSize = 100003, kCells = 16;
  std::vector<double> counts(kCells, 0);
  const Permutation permutation(kSize, 11);
  for (uint64_t i = 0; i + 1 < kSize; ++i) {
    ++counts[(permutation(i + 1) + kSize - permutation(i)) % kSize * kCells / kSize];
  }
  double chi_square = 0;
  const double expected = static_cast<double>(kSize - 1) / kCells;
  for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_square, (kCells - 1) + 5 * std::sqrt(2.0 * (kCells - 1)));
}

}  // namespace
}  // namespace mlps::training
