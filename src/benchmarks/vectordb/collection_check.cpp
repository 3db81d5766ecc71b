#include "benchmarks/vectordb/collection_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mlps::vectordb {
namespace {

constexpr uint64_t kRowsChecked = 16;
constexpr uint32_t kLeastEffort = 400;
constexpr float kTolerance = 1e-3F;

bool is_self(float score, const VectorBlock& row, Metric metric) {
  double square = 0;
  for (const float value : row.values) square += double{value} * double{value};
  switch (metric) {
    case Metric::kCosine:
      return std::abs(score - 1) < kTolerance;
    case Metric::kL2:
      return std::abs(score) < kTolerance * static_cast<float>(std::max(square, 1.0));
    case Metric::kInnerProduct:
      return score > static_cast<float>(square) * (1 - kTolerance);
  }
  return false;
}

}  // namespace

Status check_index(const CollectionFacts& facts, const CollectionSpec& wanted) {
  if (facts.index == wanted.index) return {};
  return fail(ErrorCode::kConfigIncompatible,
              fmt::format("--vdb-index {}: the index of {} is {}", index_name(wanted.index), wanted.name,
                          index_name(facts.index)),
              {}, fmt::format("give --vdb-index {}: the results are kept by it", index_name(facts.index)));
}

Status check_row_counts(const CollectionFacts& facts, const std::string& collection, uint64_t rows,
                        uint64_t rows_grown) {
  if (facts.rows != rows) {
    return fail(ErrorCode::kDataMismatch,
                fmt::format("collection {} has {} rows, not the {} of its description", collection, facts.rows, rows),
                {}, "load it again with 'vectordb datagen --force'");
  }
  if (facts.indexed_rows && *facts.indexed_rows < facts.rows - rows_grown) {
    return fail(ErrorCode::kDataMismatch,
                fmt::format("the index of {} covers {} of {} rows", collection, *facts.indexed_rows, facts.rows), {},
                "wait until the server has built it");
  }
  return {};
}

Result<RowCheck> look_up_rows(SearchSession& session, const RowSpan& rows, const VectorSource& source,
                              SearchParams params, uint32_t effort, Metric metric) {
  const uint64_t span = rows.end - rows.first, count = std::min<uint64_t>(kRowsChecked, span);
  VectorBlock row(rows.dimension, 1);
  params.effort = std::max(kLeastEffort, effort);
  SearchAnswers answers;
  RowCheck check;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t key = i + 1 == count ? rows.end - 1 : rows.first + i * span / count;
    if (Status made = source.read(key, row.values); !made) return fail(made.error());
    if (Status found = session.search(row.view(), params, answers); !found) return fail(found.error());
    ++check.checked;
    const auto neighbours = answers.of(0);
    if (!neighbours.empty() && is_self(neighbours.front().score, row, metric)) ++check.right;
  }
  return check;
}

}  // namespace mlps::vectordb
