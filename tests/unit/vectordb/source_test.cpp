#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>
#include <vector>

#include "base/crc.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "benchmarks/vectordb/numpy_random.hpp"
#include "benchmarks/vectordb/vector_source.hpp"

namespace mlps::vectordb {
namespace {

SourceSpec spec_of(Distribution distribution, uint32_t dimension, uint64_t rows) {
  SourceSpec spec;
  spec.distribution = distribution;
  spec.dimension = dimension;
  spec.rows = rows;
  spec.clustered.clusters = 50;
  spec.clustered.ambient = std::min(dimension, 24U);
  spec.clustered.intrinsic_dimension = std::min(dimension, 12U);
  return spec;
}

VectorBlock rows_of(const SourceSpec& spec) {
  const auto source = make_source(spec);
  EXPECT_TRUE(source) << source.error().message;
  VectorBlock block(spec.dimension, spec.rows);
  EXPECT_TRUE((*source)->read(0, block.values));
  return block;
}

constexpr std::array kAll{Distribution::kUniform, Distribution::kNormal, Distribution::kZipfian,
                          Distribution::kClustered};

TEST(Source, AnyRowsAreTheSameAsInOneRead) {
  for (const auto distribution : kAll) {
    for (const uint32_t dimension : {1U, 7U, 16U, 100U, 768U}) {
      const auto spec = spec_of(distribution, dimension, 300);
      const auto whole = rows_of(spec);
      const auto source = make_source(spec).value();
      for (const uint64_t first : {0U, 1U, 63U, 298U}) {
        VectorBlock part(dimension, std::min<uint64_t>(37, 300 - first));
        ASSERT_TRUE(source->read(first, part.values));
        EXPECT_EQ(std::memcmp(part.values.data(), whole.view().row(first).data(), part.values.size() * 4), 0)
            << distribution_name(distribution) << " " << dimension << " from " << first;
      }
    }
  }
}

TEST(Source, EveryInstructionSetMakesTheSameBytes) {
  constexpr size_t kDimension = 100, kRows = 64, kAmbient = 24, kIntrinsic = 12;
  const auto random = rows_of(spec_of(Distribution::kNormal, 64, 600)).values;  // stands for tables and words
  std::vector<uint16_t> cluster_of(65536);
  for (size_t i = 0; i < cluster_of.size(); ++i) cluster_of[i] = static_cast<uint16_t>(i % 40);
  for (const auto distribution : kAll) {
    GeneratorTables tables;
    tables.distribution = distribution;
    tables.dimension = kDimension;
    tables.row_words = GeneratorTables::kHeadWords + 2 * padded(kIntrinsic) + 128;
    tables.ambient_count = kAmbient;
    tables.intrinsic = kIntrinsic;
    tables.noise = 0.1F;
    tables.ambient = random.data();
    tables.centres = random.data() + 7000;
    tables.bases = random.data() + 9000;
    tables.cluster_of = cluster_of.data();
    std::vector<uint32_t> words(tables.row_words * kRows + kPadLanes);
    NumpyRandom source(1);
    for (auto& word : words) word = static_cast<uint32_t>(source.uniform() * 4294967296.0);
    std::vector<float> scratch(2 * padded(kDimension)), expected(kDimension * kRows), got(kDimension * kRows);
    available_kernels().back()->generate(tables, words.data(), kRows, scratch.data(), expected.data());
    for (const auto* layer : available_kernels()) {
      layer->generate(tables, words.data(), kRows, scratch.data(), got.data());
      EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * 4), 0)
          << layer->name << " " << distribution_name(distribution);
    }
  }
}

TEST(Source, RowsHaveTheirDistributionAndLength) {
  for (const auto distribution : kAll) {
    const auto rows = rows_of(spec_of(distribution, 96, 500));
    for (size_t i = 0; i < rows.rows(); ++i) {
      double square = 0;
      for (const float value : rows.view().row(i)) square += double{value} * value;
      ASSERT_NEAR(square, 1, 1e-5) << distribution_name(distribution);
    }
  }
  auto spec = spec_of(Distribution::kUniform, 64, 4000);
  spec.normalise = false;
  double sum = 0, square = 0;
  const auto uniform = rows_of(spec).values;
  for (const float value : uniform) {
    ASSERT_TRUE(value >= 0 && value < 1);
    sum += value, square += double{value} * value;
  }
  EXPECT_NEAR(sum / static_cast<double>(uniform.size()), 0.5, 0.003);
  EXPECT_NEAR(square / static_cast<double>(uniform.size()), 1.0 / 3, 0.003);
}

TEST(Source, NormalNumbersAreNormal) {
  auto spec = spec_of(Distribution::kNormal, 64, 16000);
  spec.normalise = false;
  const auto values = rows_of(spec).values;
  double moments[5] = {};
  std::array<double, 4> within{};  // of 0.5, 1, 2 and 3
  for (const float value : values) {
    const double x = value;
    for (int power = 1; power < 5; ++power) moments[power] += std::pow(x, power);
    for (size_t i = 0; const double limit : {0.5, 1.0, 2.0, 3.0}) within[i++] += std::abs(x) < limit;
  }
  const auto count = static_cast<double>(values.size());
  EXPECT_NEAR(moments[1] / count, 0, 0.004);
  EXPECT_NEAR(moments[2] / count, 1, 0.006);
  EXPECT_NEAR(moments[3] / count, 0, 0.01);
  EXPECT_NEAR(moments[4] / count, 3, 0.03);
  for (size_t i = 0; const double share : {0.382925, 0.682689, 0.954500, 0.997300}) {
    EXPECT_NEAR(within[i++] / count, share, 0.0015);
  }
}

TEST(Source, ClustersHaveTheStatedIntrinsicDimension) {
  // Rows of one cluster lie near a plane of that many dimensions: without noise, their rank is exact.
  auto spec = spec_of(Distribution::kClustered, 40, 60);
  spec.clustered.clusters = 1;
  spec.clustered.intrinsic_dimension = 5;
  spec.clustered.noise = 0;
  spec.normalise = false;
  auto rows = rows_of(spec);
  std::vector<std::vector<double>> differences;
  for (size_t i = 1; i < rows.rows(); ++i) {
    differences.emplace_back(40);
    for (size_t d = 0; d < 40; ++d) differences.back()[d] = double{rows.row(i)[d]} - double{rows.row(0)[d]};
  }
  size_t rank = 0;
  for (auto& row : differences) {
    for (size_t other = 0; other < rank; ++other) {
      const double product = std::inner_product(row.begin(), row.end(), differences[other].begin(), 0.0);
      for (size_t d = 0; d < 40; ++d) row[d] -= product * differences[other][d];
    }
    const double length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
    if (length < 1e-4) continue;
    for (double& value : row) value /= length;
    std::swap(row, differences[rank++]);
  }
  EXPECT_EQ(rank, 5U);
}

TEST(Source, SeedAndStreamChooseTheRows) {
  auto spec = spec_of(Distribution::kClustered, 32, 10);
  const auto base = rows_of(spec);
  spec.stream = Stream::kQuery;
  const auto queries = rows_of(spec);
  spec.stream = Stream::kBase;
  spec.seed = 43;
  EXPECT_NE(base.values, queries.values);
  EXPECT_NE(base.values, rows_of(spec).values);
  EXPECT_NE(make_source(spec).value()->identity(),
            make_source(spec_of(Distribution::kClustered, 32, 10)).value()->identity());
}

TEST(Source, WhatIsOutOfRangeIsNamed) {
  auto spec = spec_of(Distribution::kClustered, 8, 10);
  spec.clustered.ambient = 9;
  EXPECT_EQ(make_source(spec).error().message, "generated vectors: ambient dimension 9 is not from 1 to 8");
  spec = spec_of(Distribution::kUniform, 0, 10);
  EXPECT_EQ(make_source(spec).error().message, "generated vectors: dimension 0 is not from 1 to 32768");
}

// Values of NumPy's documentation of the legacy generator, seed 42.
TEST(NumpyRandom, DrawsNumpysNumbers) {
  NumpyRandom uniform(42), normal(42), order(42);
  for (const double value : {0.3745401188, 0.9507143064, 0.7319939418, 0.5986584842, 0.1560186404}) {
    EXPECT_NEAR(uniform.uniform(), value, 1e-10);
  }
  for (const double value : {0.49671415, -0.13826430, 0.64768854, 1.52302986, -0.23415337}) {
    EXPECT_NEAR(normal.normal(), value, 1e-8);
  }
  EXPECT_EQ(order.permutation(10), (std::vector<uint32_t>{8, 1, 5, 0, 7, 2, 9, 4, 3, 6}));
}

TEST(NumpyRandom, RowsAreBytesOfNumpy) {
  // numpy.random.RandomState(42).normal(size=(3, 300)).astype('float32'), divided by norm(axis=1, keepdims=True):
  // CRC-32 of the bytes (zlib.crc32), and the same of random().
  for (const auto& [distribution, crc] :
       {std::pair(Distribution::kNormal, 0xe04f1b2eU), std::pair(Distribution::kUniform, 0x0f6ca590U)}) {
    auto spec = spec_of(distribution, 300, 3);
    const auto source = make_numpy_source(spec).value();
    VectorBlock rows(300, 3);
    ASSERT_TRUE(source->read(0, rows.values));
    EXPECT_EQ(crc32(std::as_bytes(std::span(rows.values))), crc) << distribution_name(distribution);
  }
}

TEST(PlantedQueries, LieNearDifferentRows) {
  const auto source = make_source(spec_of(Distribution::kUniform, 64, 200)).value();
  const auto queries = planted_queries(*source, 50, 0.05F, 42);
  ASSERT_TRUE(queries);
  const auto rows = rows_of(spec_of(Distribution::kUniform, 64, 200));
  std::set<size_t> nearest;
  for (size_t q = 0; q < queries->rows(); ++q) {
    size_t best = 0;
    float best_score = -1;
    for (size_t i = 0; i < rows.rows(); ++i) {
      const float score = kernels().dot(queries->view().row(q).data(), rows.view().row(i).data(), 64);
      if (score > best_score) best = i, best_score = score;
    }
    EXPECT_GT(best_score, 0.99F);
    nearest.insert(best);
  }
  EXPECT_EQ(nearest.size(), 50U);
  EXPECT_FALSE(planted_queries(*source, 201, 0.05F, 42));
}

}  // namespace
}  // namespace mlps::vectordb
