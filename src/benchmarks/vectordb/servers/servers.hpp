#pragma once

#include <memory>

#include "benchmarks/vectordb/database.hpp"

/// Clients of servers, for the address and the collection of the settings. The first call connects.
namespace mlps::vectordb {

std::unique_ptr<Database> make_pgvector(const Settings& settings);
std::unique_ptr<Database> make_milvus(const Settings& settings);
/// Of Elasticsearch or OpenSearch, as the settings say.
std::unique_ptr<Database> make_elastic(const Settings& settings);

}  // namespace mlps::vectordb
