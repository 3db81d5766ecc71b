#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/vectors.hpp"

namespace mlps::vectordb {

/// A directed graph over rows: `degree` places for the neighbours of each, of which counts[row] are used.
struct Graph {
  uint32_t degree = 0;
  uint32_t entry = 0;  ///< where searches start: the row nearest to the mean of all
  std::vector<uint32_t> edges = {};
  std::vector<uint32_t> counts = {};

  uint32_t nodes() const { return static_cast<uint32_t>(counts.size()); }
  std::span<const uint32_t> of(uint32_t node) const {
    return std::span(edges).subspan(size_t{node} * degree, counts[node]);
  }
};

struct GraphOptions {
  uint32_t degree = 64;
  uint32_t list = 100;  ///< candidates of a search while building
  float alpha = 1.2F;   ///< by how much longer a detour may be, in squares of distances
  unsigned passes = 2;
  unsigned threads = 1;
  uint64_t seed = 42;
  std::function<void(uint64_t done, uint64_t total)> progress = {};  ///< any thread calls it
  const std::atomic<bool>* stop = nullptr;                           ///< set: the build ends soon with E203
};

/// Builds the graph of Vamana (Subramanya et al. 2019) by Euclidean distance: every row is searched for in the graph so
/// far and connected with what the search came by, as far as no neighbour is much nearer to another one. The rows come
/// in random order, `passes` times. With one thread it is a function of rows and options; with several the order in
/// which they come by makes a difference that searches do not notice.
Result<Graph> build_graph(VectorView rows, const GraphOptions& options);

/// Returns the memory that build_graph() takes, beside the rows.
uint64_t graph_build_bytes(uint64_t rows, const GraphOptions& options);

}  // namespace mlps::vectordb
