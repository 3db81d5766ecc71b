#include "benchmarks/vectordb/graph_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "benchmarks/vectordb/binary.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint64_t kIndexMark = 0x31584449'53504c4d;  // "MLPSIDX1"
constexpr uint64_t kGraphMark = 0x31485247'53504c4d;  // "MLPSGRH1"
constexpr uint32_t kMostDegree = 4096;

tl::unexpected<Error> damaged_index(std::string_view what) {
  return fail(ErrorCode::kDataMismatch, fmt::format("the index can't be read: {}", what), {}, "build the index again");
}

void put_graph(BinaryWriter& out, const Graph& graph) {
  out.put(graph.degree);
  out.put(graph.entry);
  out.put(graph.nodes());
  out.put_all(std::span<const uint32_t>(graph.counts));
  out.put_all(std::span<const uint32_t>(graph.edges));
}

bool take_graph(BinaryReader& in, Graph& graph) {
  graph.degree = in.take<uint32_t>();
  graph.entry = in.take<uint32_t>();
  const auto nodes = in.take<uint32_t>();
  if (!in.is_valid() || graph.degree > kMostDegree || (nodes != 0 && graph.entry >= nodes)) return false;
  graph.counts = in.take_all<uint32_t>(nodes);
  graph.edges = in.take_all<uint32_t>(uint64_t{nodes} * graph.degree);
  if (!in.is_valid()) return false;
  for (uint32_t node = 0; node < nodes; ++node) {
    if (graph.counts[node] > graph.degree) return false;
    for (const uint32_t edge : graph.of(node)) {
      if (edge >= nodes) return false;
    }
  }
  return true;
}

bool is_legal(const PageShape& shape) {
  return shape.nodes >= 1 && shape.nodes != kNoNode && shape.dimension >= 1 && shape.dimension <= kMaxDimension + 1 &&
         shape.degree >= 1 && shape.degree <= kMostDegree && shape.code_bytes >= 1 &&
         shape.code_bytes <= kMaxDimension + 1 && uint64_t{shape.degree} * shape.code_bytes <= uint64_t{1} << 26;
}

}  // namespace

std::vector<std::byte> serialise(const GraphIndex& index) {
  BinaryWriter out;
  out.put(kIndexMark);
  out.put(index.number);
  for (const uint32_t size : {index.shape.nodes, index.shape.dimension, index.shape.degree, index.shape.code_bytes,
                              uint32_t{index.shape.inline_codes}}) {
    out.put(size);
  }
  index.quantiser.write(out);
  out.put_all(std::span<const uint8_t>(index.codes));
  put_graph(out, index.entry_graph);
  out.put_all(std::span<const uint32_t>(index.entries));
  out.put_all(std::span<const uint8_t>(index.entry_codes));
  out.put(static_cast<uint32_t>(index.hot_pages.size()));
  out.put_all(std::span<const uint32_t>(index.hot_pages));
  return std::move(out.bytes());
}

Result<GraphIndex> parse_graph_index(std::span<const std::byte> bytes) {
  BinaryReader in(bytes);
  if (in.take<uint64_t>() != kIndexMark) return damaged_index("it is no graph index, or of another version");
  GraphIndex index;
  index.number = in.take<uint64_t>();
  for (uint32_t* size : {&index.shape.nodes, &index.shape.dimension, &index.shape.degree, &index.shape.code_bytes}) {
    *size = in.take<uint32_t>();
  }
  index.shape.inline_codes = in.take<uint32_t>() != 0;
  if (!in.is_valid() || !is_legal(index.shape)) return damaged_index("its sizes are impossible");
  auto quantiser = Quantiser::read(in);
  if (!quantiser) return damaged_index(quantiser.error().message);
  index.quantiser = std::move(*quantiser);
  if (index.quantiser.dimension() != index.shape.dimension || index.quantiser.bytes() != index.shape.code_bytes) {
    return damaged_index("its codes are of other sizes than its nodes");
  }
  if (!index.shape.inline_codes)
    index.codes = in.take_all<uint8_t>(uint64_t{index.shape.nodes} * index.shape.code_bytes);
  if (!in.is_valid() || !take_graph(in, index.entry_graph)) return damaged_index("its navigation graph is impossible");
  index.entries = in.take_all<uint32_t>(index.entry_graph.nodes());
  index.entry_codes = in.take_all<uint8_t>(uint64_t{index.entry_graph.nodes()} * index.shape.code_bytes);
  const auto hot = in.take<uint32_t>();
  index.hot_pages = in.take_all<uint32_t>(hot);
  const auto below = [](const std::vector<uint32_t>& values, uint32_t limit) {
    return std::all_of(values.begin(), values.end(), [&](uint32_t value) { return value < limit; });
  };
  if (!in.is_valid() || in.left() != 0 || index.entries.empty() || !below(index.entries, index.shape.nodes) ||
      !below(index.hot_pages, index.shape.pages())) {
    return damaged_index("its sizes do not fit together");
  }
  return index;
}

std::vector<std::byte> serialise(const Graph& graph) {
  BinaryWriter out;
  out.put(kGraphMark);
  put_graph(out, graph);
  return std::move(out.bytes());
}

Result<Graph> parse_graph(std::span<const std::byte> bytes) {
  BinaryReader in(bytes);
  Graph graph;
  if (in.take<uint64_t>() != kGraphMark || !take_graph(in, graph) || in.left() != 0) {
    return damaged_index("its graph is impossible, or of another version");
  }
  return graph;
}

}  // namespace mlps::vectordb
