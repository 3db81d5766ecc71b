#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/vamana.hpp"
#include "benchmarks/vectordb/vectors.hpp"

/// The pages of a graph index on storage. A page holds whole nodes: as many as fit into 4 KiB, or one on as many 4 KiB
/// as it needs. A node is known by its position, page * nodes_per_page + slot; edges are positions.
namespace mlps::vectordb {

inline constexpr uint32_t kPageUnit = 4096;
inline constexpr uint32_t kNoNode = UINT32_MAX;

/// Sizes of nodes and pages; everything else follows from the first five.
struct PageShape {
  uint32_t nodes = 0;
  uint32_t dimension = 0;     ///< of stored vectors
  uint32_t degree = 0;        ///< places for edges in a node
  uint32_t code_bytes = 0;    ///< of one vector's code
  bool inline_codes = false;  ///< AISAQ: behind its edges a node has the codes of its neighbours

  /// A node: key (8 bytes), vector, number of edges, edges, and with inline_codes their codes.
  uint32_t node_bytes() const {
    const uint32_t codes = inline_codes ? degree * code_bytes : 0;
    return (8 + dimension * 4 + 4 + degree * 4 + codes + 7) / 8 * 8;
  }
  uint32_t nodes_per_page() const { return std::max(1U, (kPageUnit - kHeadBytes) / node_bytes()); }
  uint32_t page_bytes() const {
    return (kHeadBytes + nodes_per_page() * node_bytes() + kPageUnit - 1) / kPageUnit * kPageUnit;
  }
  uint32_t pages() const { return static_cast<uint32_t>((uint64_t{nodes} + nodes_per_page() - 1) / nodes_per_page()); }
  uint64_t bytes() const { return uint64_t{pages()} * page_bytes(); }
  /// CRC-32C of what follows it, of the page's number and the index's own number; nodes in the page.
  static constexpr uint32_t kHeadBytes = 8;
};

/// One node inside a page; a view.
class NodeView {
 public:
  NodeView(const std::byte* node, const PageShape& shape) : node_(node), shape_(&shape) {}

  uint64_t key() const { return read<uint64_t>(0); }
  const float* vector() const { return reinterpret_cast<const float*>(node_ + 8); }
  uint32_t edge_count() const { return read<uint32_t>(8 + shape_->dimension * 4); }
  uint32_t edge(uint32_t i) const { return read<uint32_t>(8 + shape_->dimension * 4 + 4 + i * 4); }
  const uint8_t* edge_code(uint32_t i) const {
    return reinterpret_cast<const uint8_t*>(node_ + 8 + shape_->dimension * 4 + 4 + shape_->degree * 4 +
                                            i * shape_->code_bytes);
  }

 private:
  template <class T>
  T read(size_t offset) const {
    T value;
    std::memcpy(&value, node_ + offset, sizeof value);
    return value;
  }
  const std::byte* node_;
  const PageShape* shape_;
};

inline NodeView node_in(const std::byte* page, uint32_t slot, const PageShape& shape) {
  return {page + PageShape::kHeadBytes + size_t{slot} * shape.node_bytes(), shape};
}
inline uint32_t nodes_in(const std::byte* page) {
  uint32_t count;
  std::memcpy(&count, page + 4, sizeof count);
  return count;
}

/// Returns the rows in the order of their positions, so that rows which searches need together share a page.
std::vector<uint32_t> order_into_pages(VectorView rows, const Graph& graph, uint32_t nodes_per_page);

/// Where a page's content comes from while an index is built.
struct PageContent {
  VectorView rows;
  const Graph& graph;
  std::span<const uint64_t> keys;       ///< of each row
  std::span<const uint32_t> order;      ///< row of each position
  std::span<const uint32_t> positions;  ///< position of each row
  std::span<const uint8_t> codes;       ///< of each row
};

/// Writes page `number` to `page`, shape.page_bytes() bytes, zeros where nothing is.
void fill_page(const PageShape& shape, const PageContent& content, uint64_t index_number, uint32_t number,
               std::byte* page);

/// Checks a page that came from storage: checksum, number of nodes, and that all edges are nodes of the index. E606
/// says what is wrong.
Status check_page(const PageShape& shape, uint64_t index_number, uint32_t number, const std::byte* page);

}  // namespace mlps::vectordb
