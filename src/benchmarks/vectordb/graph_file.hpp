#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/graph_search.hpp"

namespace mlps::vectordb {

/// Return the bytes of what a graph index has in memory, without its cache, and what such bytes hold. Reading is for
/// hostile input: every count, position and edge is checked, E606 says what is wrong.
std::vector<std::byte> serialise(const GraphIndex& index);
Result<GraphIndex> parse_graph_index(std::span<const std::byte> bytes);

/// The same of a graph alone, as the build stores it on its way.
std::vector<std::byte> serialise(const Graph& graph);
Result<Graph> parse_graph(std::span<const std::byte> bytes);

}  // namespace mlps::vectordb
