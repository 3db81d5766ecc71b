// What the vector-search benchmark reads of its own files, which somebody else may have written.
#include <cstring>
#include <vector>

#include "base/crc.hpp"
#include "benchmarks/vectordb/collection.hpp"
#include "benchmarks/vectordb/graph_file.hpp"
#include "benchmarks/vectordb/pages.hpp"
#include "benchmarks/vectordb/truth.hpp"
#include "fuzz.hpp"

namespace {

using namespace mlps;
using namespace mlps::vectordb;

void read_index(std::span<const std::byte> bytes) {
  const auto index = parse_graph_index(bytes);
  if (!index) return;
  for (const uint32_t entry : index->entries) fuzz::require(entry < index->shape.nodes, "an entry is a node");
  const auto again = serialise(*index);
  fuzz::require(again.size() == bytes.size() && std::memcmp(again.data(), bytes.data(), again.size()) == 0,
                "an index is written as it was read");
}

/// Takes the bytes for a page, with a checksum that is right: what a hostile writer would do.
void read_page(std::span<const std::byte> bytes) {
  const PageShape shape{
      .nodes = 50, .dimension = 16, .degree = 8, .code_bytes = 4, .inline_codes = bytes.size() % 2 == 0};
  std::vector<std::byte> page(shape.page_bytes());
  std::memcpy(page.data(), bytes.data(), std::min(page.size(), bytes.size()));
  const uint64_t place[2] = {7, 0};
  const uint32_t checksum = mlps::crc32c(std::span(page).subspan(4), mlps::crc32c(std::as_bytes(std::span(place))));
  std::memcpy(page.data(), &checksum, sizeof checksum);
  if (!check_page(shape, 7, 0, page.data())) return;
  for (uint32_t slot = 0; slot < nodes_in(page.data()); ++slot) {
    const NodeView node = node_in(page.data(), slot, shape);
    for (uint32_t i = 0; i < node.edge_count(); ++i) fuzz::require(node.edge(i) < shape.nodes, "an edge is a node");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto truth = parse_truth(bytes)) {
    fuzz::require(truth->queries() * truth->per_query == truth->neighbours.size(), "truth is of whole queries");
  }
  if (const auto collection = parse_collection(bytes)) {
    fuzz::require(serialise(*collection).size() == bytes.size(), "a description is written as it was read");
  }
  if (const auto graph = parse_graph(bytes))
    fuzz::require(graph->edges.size() == size_t{graph->nodes()} * graph->degree, "edges have places");
  read_index(bytes);
  read_page(bytes);
  return 0;
}
