#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/engine.hpp"

/// Reads the answers of Milvus. For hostile input: what is malformed is an error or an empty value, never more.
namespace mlps::vectordb {

/// Fails if a Status says anything but success: E603 for a collection or index that is not there, E604 for a rate
/// limit, E602 for what is not allowed, E102 for a parameter that is refused, else E201; with the server's words.
Status milvus_status(std::string_view method, std::string_view status);

struct MilvusCollection {
  uint64_t id = 0;
  uint32_t dimension = 0;
  std::string description;
};
/// Reads DescribeCollection; the dimension is that of the field of vectors with that name, the description the
/// property's of that name.
MilvusCollection read_milvus_collection(std::string_view answer, std::string_view vector_field,
                                        std::string_view property);

struct MilvusIndex {
  uint64_t indexed = 0, total = 0, pending = 0, state = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> parameters;  ///< those inside "params", too

  std::string value(std::string_view key) const;  ///< empty: not reported
};
/// Reads DescribeIndex; E603 if there is no index.
Result<MilvusIndex> read_milvus_index(std::string_view answer);

struct MilvusFlush {
  std::vector<int64_t> segments;
  uint64_t timestamp = 0;
};
MilvusFlush read_milvus_flush(std::string_view answer, std::string_view collection);

/// Returns row_count of GetCollectionStatistics; 0 if it is not there.
uint64_t read_milvus_rows(std::string_view answer);

/// Puts SearchResultData into `answers`, which is reset for the queries that were sent; E605 if it is not about as many
/// queries, or says more hits than it has.
Status read_milvus_hits(std::string_view results, Metric metric, SearchAnswers& answers);

}  // namespace mlps::vectordb
