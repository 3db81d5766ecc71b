#pragma once

#include <cstdint>
#include <string>

#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/vector_source.hpp"

namespace mlps::vectordb {

/// Returns an error if the index of a loaded collection is of another type than the run asks for.
Status check_index(const CollectionFacts& facts, const CollectionSpec& wanted);

/// Returns an error if a loaded collection has other rows than its description says, or an index that covers fewer.
/// `rows_grown` were inserted by earlier runs, and need not be in the index.
Status check_row_counts(const CollectionFacts& facts, const std::string& collection, uint64_t rows,
                        uint64_t rows_grown);

/// Rows of a collection from `first` to before `end`, each a vector of `dimension` elements.
struct RowSpan {
  uint64_t first = 0;
  uint64_t end = 0;
  uint32_t dimension = 0;
};

struct RowCheck {
  uint64_t checked = 0;
  uint64_t right = 0;  ///< rows that were found as the nearest to themselves
};

/// Looks up some rows of a span, the last one among them, by their own vectors as `source` has them: nothing is as near
/// to a row as itself. Searches with at least `effort`.
Result<RowCheck> look_up_rows(SearchSession& session, const RowSpan& rows, const VectorSource& source,
                              SearchParams params, uint32_t effort, Metric metric);

}  // namespace mlps::vectordb
