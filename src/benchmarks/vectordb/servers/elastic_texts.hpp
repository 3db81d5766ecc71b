#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/settings.hpp"

/// The texts of Elasticsearch and OpenSearch: what they are asked, and what they answer. Answers are read as hostile
/// input: E605 for what can't be understood, E201 with the server's words for what it refuses.
namespace mlps::vectordb {

/// Says which of the two servers is spoken to.
enum class ElasticKind : uint8_t { kElasticsearch, kOpensearch };

/// Returns the body that makes an index; E102 for what the server has not.
Result<std::string> elastic_index_body(ElasticKind kind, const CollectionSpec& spec, std::string_view knn_engine,
                                       const std::string& description);

/// Appends the two lines of one row to the body of a _bulk request.
void append_bulk_row(uint64_t key, std::span<const float> row, std::string& body);
/// Fails with the first row that was refused; `rows` were sent.
Status read_bulk(std::string_view answer, uint64_t rows);

/// Returns the body of a search.
std::string elastic_search_body(ElasticKind kind, IndexKind index, std::span<const float> query,
                                const SearchParams& params);
/// Puts the hits of one search (an answer of _search, or one of _msearch) into `answers`.
Status read_hits(std::string_view answer, bool many, ElasticKind kind, Metric metric, SearchAnswers& answers);

/// What _mapping says of the index.
struct ElasticMapping {
  std::string description;
  uint32_t dimension = 0;
  Metric metric = Metric::kCosine;
  IndexKind index = IndexKind::kHnsw;
  std::vector<std::pair<std::string, std::string>> parameters;
};
Result<ElasticMapping> read_mapping(ElasticKind kind, std::string_view answer, const std::string& collection);

/// Returns the number at a path of keys ("_all", "primaries", ...) of an answer; nothing if it is not there.
std::optional<uint64_t> number_at(std::string_view answer, std::initializer_list<std::string_view> path);
/// Returns the text there; empty if it is not there.
std::string text_at(std::string_view answer, std::initializer_list<std::string_view> path);

/// Returns the error for an answer with an HTTP status of 300 or more.
Error elastic_error(const std::string& what, int status, std::string_view answer);

}  // namespace mlps::vectordb
