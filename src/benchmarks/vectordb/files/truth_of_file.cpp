#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "benchmarks/vectordb/files/row_file.hpp"
#include "benchmarks/vectordb/metric_space.hpp"

/// Exact answers that somebody else has found, which are believed only where they can be right.
namespace mlps::vectordb {
namespace {

constexpr uint64_t kSampledRows = 2000;
constexpr float kTolerance = 1e-4F;  // of a score, for those who computed in another order or in double

float slack_of(float score) {
  return kTolerance * std::max(1.0F, std::abs(score));
}

class TruthReader {
 public:
  TruthReader(const RowFile& file, const VectorSource& base, VectorView queries, Metric metric)
      : file_(file), base_(base), queries_(queries), metric_(metric), row_(base.dimension()), keys_(file.columns()) {}

  Status add(size_t query, GroundTruth& truth) {
    if (Status read = file_.read_keys(query, keys_); !read) return read;
    std::unordered_set<int64_t> seen;
    float last = std::numeric_limits<float>::infinity();
    bool ended = false;
    for (const int64_t key : keys_) {
      ended = ended || key == -1;
      if (ended) {
        if (key != -1) return wrong(query, fmt::format("{} stands behind -1, which ends the answers", key));
        truth.neighbours.push_back({GroundTruth::kNoKey, -std::numeric_limits<float>::infinity()});
        continue;
      }
      if (key < 0 || static_cast<uint64_t>(key) >= base_.rows()) {
        return wrong(query, fmt::format("{} is no key of {} vectors", key, base_.rows()));
      }
      if (!seen.insert(key).second) return wrong(query, fmt::format("{} comes twice", key));
      if (Status read = base_.read(static_cast<uint64_t>(key), row_); !read) return read;
      const float score = exact_score(metric_, queries_.row(query), row_);
      if (score > last + slack_of(last)) {
        return wrong(query,
                     fmt::format("by {} the vector {} is nearer than the one before it", metric_name(metric_), key));
      }
      last = std::min(last, score);
      truth.neighbours.push_back({static_cast<uint64_t>(key), score});
    }
    return {};
  }

  /// Compares some rows with all queries: none may be nearer than the last answer, unless it is one.
  Status sample(const GroundTruth& truth) {
    const uint64_t count = std::min(kSampledRows, base_.rows());
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t key = i * base_.rows() / count;
      if (Status read = base_.read(key, row_); !read) return read;
      for (size_t query = 0; query < truth.queries(); ++query) {
        const auto answers = truth.of(query);
        if (answers.size() < truth.per_query) continue;  // it has all that there are
        const float score = exact_score(metric_, queries_.row(query), row_);
        if (score <= answers.back().score + slack_of(answers.back().score)) continue;
        if (std::none_of(answers.begin(), answers.end(), [&](const Neighbour& one) { return one.key == key; })) {
          return wrong(query, fmt::format("by {} the vector {} is nearer than the last answer, and is none of them",
                                          metric_name(metric_), key));
        }
      }
    }
    return {};
  }

 private:
  tl::unexpected<Error> wrong(size_t query, const std::string& what) const {
    return fail(
        ErrorCode::kDataMismatch,
        fmt::format("--truth-file: {} has not the exact answers of these vectors and queries", file_.bytes().name()),
        fmt::format("query {}: {}", query, what),
        "it may be of another metric, of other vectors, or of a part of them; leave --truth-file out, and the "
        "answers are computed");
  }

  const RowFile& file_;
  const VectorSource& base_;
  VectorView queries_;
  Metric metric_;
  std::vector<float> row_;
  std::vector<int64_t> keys_;
};

}  // namespace

Result<GroundTruth> read_truth(const std::string& word, const VectorSource& base, VectorView queries,
                               const TruthOptions& options, uint32_t wanted) {
  const auto file = open_rows(word, kTruthPart);
  if (!file) return fail(file.error());
  const auto least = std::min<uint64_t>(wanted, base.rows());
  if ((*file)->rows() < queries.rows() || (*file)->columns() < least) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("--truth-file: {} has {} answers to each of {} queries; {} to each of {} are needed",
                            (*file)->bytes().name(), (*file)->columns(), (*file)->rows(), least, queries.rows()),
                {}, "lower --search-limit or --num-query-vectors, or leave --truth-file out");
  }
  const auto checksum = checksum_of((*file)->bytes());
  if (!checksum) return fail(checksum.error());
  GroundTruth truth{.identity = fmt::format("{}; {} by a file with CRC-64 {:016x}", base.identity(),
                                            metric_name(options.metric), *checksum),
                    .rows = base.rows(),
                    .k = (*file)->columns(),
                    .per_query = (*file)->columns()};
  truth.neighbours.reserve(queries.rows() * truth.per_query);
  TruthReader reader(**file, base, queries, options.metric);
  for (size_t query = 0; query < queries.rows(); ++query) {
    if (options.stop != nullptr && *options.stop) return fail(ErrorCode::kInterrupted, "exact answers");
    if (Status added = reader.add(query, truth); !added) return fail(added.error());
  }
  if (Status right = reader.sample(truth); !right) return fail(right.error());
  return truth;
}

}  // namespace mlps::vectordb
