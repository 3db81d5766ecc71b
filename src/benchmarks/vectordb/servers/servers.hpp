#pragma once

#include <fmt/format.h>

#include <memory>

#include "benchmarks/vectordb/database.hpp"

/// Clients of servers, for the address and the collection of the settings. The first call connects.
namespace mlps::vectordb {

std::unique_ptr<Database> make_pgvector(const Settings& settings);
std::unique_ptr<Database> make_milvus(const Settings& settings);
/// Of Elasticsearch or OpenSearch, as the settings say.
std::unique_ptr<Database> make_elastic(const Settings& settings);

/// Fails with E102 for queries that the clients don't send: of another dimension than the collection's, or filtered.
inline Status check_query(VectorView queries, uint32_t dimension, const SearchParams& params) {
  if (queries.dimension() != dimension) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("a query of {} elements for vectors of {}", queries.dimension(), dimension));
  }
  if (params.filter.is_everything()) return {};
  return fail(ErrorCode::kConfigInvalid, "filtered search on a server is not made by this client");
}

}  // namespace mlps::vectordb
