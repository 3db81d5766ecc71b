#include "benchmarks/vectordb/truth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>

#include "benchmarks/vectordb/vector_source.hpp"

namespace mlps::vectordb {
namespace {

std::unique_ptr<VectorSource> source_of(uint32_t dimension, uint64_t rows, bool normalise, Stream stream) {
  SourceSpec spec;
  spec.distribution = Distribution::kNormal;
  spec.dimension = dimension;
  spec.rows = rows;
  spec.normalise = normalise;
  spec.stream = stream;
  return make_source(spec).value();
}

VectorBlock read_all(const VectorSource& source) {
  VectorBlock block(source.dimension(), source.rows());
  EXPECT_TRUE(source.read(0, block.values));
  return block;
}

/// A source of given rows.
class FixedSource final : public VectorSource {
 public:
  FixedSource(uint32_t dimension, std::vector<float> values) : dimension_(dimension), values_(std::move(values)) {}
  uint64_t rows() const override { return values_.size() / dimension_; }
  uint32_t dimension() const override { return dimension_; }
  std::string identity() const override { return "fixed"; }
  Status read(uint64_t first, std::span<float> out) const override {
    if (first * dimension_ + out.size() > values_.size()) return fail(ErrorCode::kStorageIo, "read past the end");
    std::copy_n(values_.data() + first * dimension_, out.size(), out.data());
    return {};
  }

 private:
  uint32_t dimension_;
  std::vector<float> values_;
};

double exact_score(std::span<const float> a, std::span<const float> b, Metric metric) {
  double product = 0, aa = 0, bb = 0, square = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    product += x * y, aa += x * x, bb += y * y, square += (x - y) * (x - y);
  }
  return metric == Metric::kL2 ? -square : metric == Metric::kCosine ? product / std::sqrt(aa * bb) : product;
}

TEST(Truth, IsThatOfComparingEverythingByHand) {
  for (const auto metric : {Metric::kCosine, Metric::kL2, Metric::kInnerProduct}) {
    for (const uint32_t dimension : {3U, 33U, 100U}) {
      const auto base = source_of(dimension, 1237, false, Stream::kBase);
      const auto queries = read_all(*source_of(dimension, 29, false, Stream::kQuery));
      const auto rows = read_all(*base);
      TruthOptions options{.metric = metric, .k = 20, .threads = 3};
      options.filter = {100, 1100};
      const auto truth = compute_truth(*base, queries.view(), options);
      ASSERT_TRUE(truth) << truth.error().message;
      ASSERT_EQ(truth->queries(), 29U);
      EXPECT_EQ(truth->rows, 1000U);
      for (size_t q = 0; q < 29; ++q) {
        std::vector<std::pair<double, uint64_t>> all;
        for (uint64_t i = 100; i < 1100; ++i) {
          all.emplace_back(-exact_score(queries.view().row(q), rows.view().row(i), metric), i);
        }
        std::sort(all.begin(), all.end());
        for (size_t i = 0; i < 20; ++i) {
          EXPECT_EQ(truth->of(q)[i].key, all[i].second) << metric_name(metric) << " " << dimension << " " << q;
          EXPECT_NEAR(truth->of(q)[i].score, -all[i].first, 1e-4);
        }
      }
    }
  }
}

TEST(Truth, IsTheSameForAnyNumberOfThreadsAndAnyMemory) {
  const auto base = source_of(48, 3000, true, Stream::kBase);
  const auto queries = read_all(*source_of(48, 17, true, Stream::kQuery));
  const auto one = serialise(compute_truth(*base, queries.view(), {}).value());
  for (const unsigned threads : {2U, 7U}) {
    EXPECT_EQ(serialise(compute_truth(*base, queries.view(), {.threads = threads, .memory_bytes = 1}).value()), one);
  }
}

TEST(Truth, NormalisedRowsHaveOneOrderForAllMetrics) {
  const auto base = source_of(24, 2000, true, Stream::kBase);
  const auto queries = read_all(*source_of(24, 11, true, Stream::kQuery));
  const auto keys = [&](Metric metric) {
    const auto truth = compute_truth(*base, queries.view(), {.metric = metric, .k = 10});
    std::vector<uint64_t> found;
    for (const auto& n : truth->neighbours) found.push_back(n.key);
    return found;
  };
  EXPECT_EQ(keys(Metric::kCosine), keys(Metric::kL2));
  EXPECT_EQ(keys(Metric::kCosine), keys(Metric::kInnerProduct));
}

TEST(Truth, EqualVectorsHaveEqualScoresInTheOrderOfTheirKeys) {
  std::vector<float> values;
  for (int i = 0; i < 100; ++i) {
    for (int d = 0; d < 7; ++d) values.push_back(i % 10 == 3 ? 1.0F : static_cast<float>(i + d));
  }
  const FixedSource base(7, values);
  const std::vector<float> query(7, 1.1F);
  const auto truth = compute_truth(base, {query, 7}, {.metric = Metric::kL2, .k = 5}).value();
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(truth.of(0)[i].key, 10 * i + 3);
    EXPECT_EQ(truth.of(0)[i].score, truth.of(0)[0].score);
  }
}

TEST(Truth, OfFewerRowsThanWantedHoldsAll) {
  const auto base = source_of(5, 3, true, Stream::kBase);
  const auto queries = read_all(*source_of(5, 2, true, Stream::kQuery));
  const auto truth = compute_truth(*base, queries.view(), {.k = 10}).value();
  EXPECT_EQ(truth.per_query, 3U);
  EXPECT_EQ(truth.queries(), 2U);
  const std::vector<uint64_t> answer{0, 1, 2};
  EXPECT_EQ(recall_of(truth.of(0), answer, 10), 1);
}

TEST(Truth, VectorsOfLengthZeroHaveCosineZero) {
  const FixedSource base(2, {0, 0, 1, 0, -1, 0});
  const std::vector<float> query{1, 0};
  const auto truth = compute_truth(base, {query, 2}, {.k = 3}).value();
  EXPECT_EQ(truth.of(0)[0].key, 1U);
  EXPECT_EQ(truth.of(0)[1].key, 0U);
  EXPECT_EQ(truth.of(0)[1].score, 0);
}

TEST(Truth, ErrorsOfTheSourceAndStoppingEndIt) {
  class Failing final : public VectorSource {
    uint64_t rows() const override { return 5000; }
    uint32_t dimension() const override { return 4; }
    std::string identity() const override { return "failing"; }
    Status read(uint64_t, std::span<float>) const override { return fail(ErrorCode::kStorageIo, "no such page"); }
  };
  const std::vector<float> query{1, 0, 0, 0};
  EXPECT_EQ(compute_truth(Failing(), {query, 4}, {.threads = 2}).error().message, "no such page");
  const std::atomic<bool> stop = true;
  const auto base = source_of(4, 100, true, Stream::kBase);
  EXPECT_EQ(compute_truth(*base, {query, 4}, {.stop = &stop}).error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(compute_truth(*base, {query, 2}, {}).error().code, ErrorCode::kConfigInvalid);
}

TEST(Recall, CountsTiesAtTheBorderOnceAndNeverMoreThanAll) {
  const std::vector<Neighbour> truth{{1, 0.9F}, {2, 0.8F}, {3, 0.7F}, {4, 0.7F}, {5, 0.7F}, {6, 0.5F}};
  const auto recall = [&](std::vector<uint64_t> answer, float epsilon = 0) {
    return recall_of(truth, answer, 3, epsilon);
  };
  EXPECT_DOUBLE_EQ(recall({1, 2, 3}), 1);
  EXPECT_DOUBLE_EQ(recall({1, 2, 5}), 1);        // as near as the third
  EXPECT_DOUBLE_EQ(recall({3, 4, 5}), 1);        // three as near as the third
  EXPECT_DOUBLE_EQ(recall({1, 1, 1}), 1.0 / 3);  // one row three times
  EXPECT_DOUBLE_EQ(recall({1, 2, 6}), 2.0 / 3);
  EXPECT_DOUBLE_EQ(recall({1, 2, 6}, 0.25F), 1);
  EXPECT_DOUBLE_EQ(recall({}), 0);
  uint64_t ties = 0;
  recall_of(truth, std::vector<uint64_t>{1, 2, 4}, 3, 0, &ties);
  EXPECT_EQ(ties, 1U);
}

TEST(TruthFile, ComesBackAndDamageIsFound) {
  const auto base = source_of(16, 100, true, Stream::kBase);
  const auto queries = read_all(*source_of(16, 3, true, Stream::kQuery));
  const auto bytes = serialise(compute_truth(*base, queries.view(), {.k = 5}).value());
  const auto back = parse_truth(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->identity, truth_identity(*base, queries.view(), {.k = 5}));
  EXPECT_EQ(serialise(*back), bytes);
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= std::byte{0x40};
    EXPECT_EQ(parse_truth(damaged).error().code, ErrorCode::kDataMismatch) << "byte " << i;
    EXPECT_FALSE(parse_truth(std::span(bytes).first(i))) << "cut at " << i;
  }
}

}  // namespace
}  // namespace mlps::vectordb
