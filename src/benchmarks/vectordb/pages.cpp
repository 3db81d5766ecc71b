#include "benchmarks/vectordb/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crc.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"

namespace mlps::vectordb {
namespace {

uint32_t page_checksum(const PageShape& shape, uint64_t index_number, uint32_t number, const std::byte* page) {
  const std::array<uint64_t, 2> place{index_number, number};
  return crc32c({page + 4, shape.page_bytes() - 4}, crc32c(std::as_bytes(std::span(place))));
}

/// Packs rows: a page begins with a row whose neighbourhood is used up the most, so that none is left alone between
/// full pages, and takes the free rows nearest to it among its neighbours and theirs.
class PagePacker {
 public:
  PagePacker(VectorView rows, const Graph& graph, uint32_t per_page)
      : rows_(rows),
        graph_(graph),
        per_page_(per_page),
        is_placed_(graph.nodes()),
        seen_(graph.nodes(), kNoNode),
        taken_around_(graph.nodes()),
        waiting_(graph.degree + 1) {}

  std::vector<uint32_t> pack() {
    uint32_t fresh = 0;
    push(graph_.entry);
    while (order_.size() < graph_.nodes()) {
      uint32_t seed = pop();
      while (seed == kNoNode && is_placed_[fresh]) ++fresh;
      if (seed == kNoNode) seed = fresh;
      place_with_nearest(seed);
    }
    return std::move(order_);
  }

 private:
  void push(uint32_t row) { waiting_[std::min(taken_around_[row], graph_.degree)].push_back(row); }

  /// Returns the free row with the most placed neighbours of those that have any.
  uint32_t pop() {
    for (size_t level = waiting_.size(); level-- > 0;) {
      while (!waiting_[level].empty()) {
        const uint32_t row = waiting_[level].back();
        waiting_[level].pop_back();
        if (!is_placed_[row] && std::min(taken_around_[row], graph_.degree) == level) return row;
      }
    }
    return kNoNode;
  }

  void place(uint32_t row) {
    is_placed_[row] = true;
    order_.push_back(row);
    for (const uint32_t other : graph_.of(row)) {
      if (is_placed_[other]) continue;
      ++taken_around_[other];
      push(other);
    }
  }

  void place_with_nearest(uint32_t seed) {
    candidates_.clear();
    seen_[seed] = seed;
    const auto consider = [&](uint32_t row) {
      if (is_placed_[row] || seen_[row] == seed) return;
      seen_[row] = seed;
      candidates_.emplace_back(
          kernels().square_distance(rows_.row(seed).data(), rows_.row(row).data(), rows_.dimension()), row);
    };
    for (const uint32_t near : graph_.of(seed)) consider(near);
    for (const uint32_t near : graph_.of(seed)) {
      for (const uint32_t next : graph_.of(near)) consider(next);
    }
    const size_t more = std::min<size_t>(per_page_ - 1, candidates_.size());
    std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(more), candidates_.end());
    place(seed);
    for (size_t i = 0; i < more; ++i) place(candidates_[i].second);
    for (size_t i = more + 1; i < per_page_ && order_.size() < graph_.nodes(); ++i) {
      const uint32_t row = pop();  // nothing near is free: anything keeps the page full
      if (row == kNoNode) break;
      place(row);
    }
  }

  VectorView rows_;
  const Graph& graph_;
  uint32_t per_page_;
  std::vector<bool> is_placed_;
  std::vector<uint32_t> seen_, taken_around_, order_;
  std::vector<std::vector<uint32_t>> waiting_;  ///< rows by their number of placed neighbours; old entries are skipped
  std::vector<std::pair<float, uint32_t>> candidates_;
};

}  // namespace

std::vector<uint32_t> order_into_pages(VectorView rows, const Graph& graph, uint32_t nodes_per_page) {
  return PagePacker(rows, graph, nodes_per_page).pack();
}

void fill_page(const PageShape& shape, const PageContent& content, uint64_t index_number, uint32_t number,
               std::byte* page) {
  std::memset(page, 0, shape.page_bytes());
  const uint32_t first = number * shape.nodes_per_page();
  const uint32_t count = std::min(shape.nodes_per_page(), shape.nodes - first);
  std::memcpy(page + 4, &count, sizeof count);
  for (uint32_t slot = 0; slot < count; ++slot) {
    const uint32_t row = content.order[first + slot];
    std::byte* node = page + PageShape::kHeadBytes + size_t{slot} * shape.node_bytes();
    std::memcpy(node, &content.keys[row], 8);
    std::memcpy(node + 8, content.rows.row(row).data(), shape.dimension * 4);
    std::byte* edges = node + 8 + shape.dimension * 4;
    const auto neighbours = content.graph.of(row);
    const auto edge_count = static_cast<uint32_t>(neighbours.size());
    std::memcpy(edges, &edge_count, 4);
    for (size_t i = 0; i < neighbours.size(); ++i) {
      std::memcpy(edges + 4 + i * 4, &content.positions[neighbours[i]], 4);
      if (!shape.inline_codes) continue;
      std::memcpy(edges + 4 + shape.degree * 4 + i * shape.code_bytes,
                  content.codes.data() + size_t{neighbours[i]} * shape.code_bytes, shape.code_bytes);
    }
  }
  const uint32_t checksum = page_checksum(shape, index_number, number, page);
  std::memcpy(page, &checksum, sizeof checksum);
}

Status check_page(const PageShape& shape, uint64_t index_number, uint32_t number, const std::byte* page) {
  uint32_t checksum;
  std::memcpy(&checksum, page, sizeof checksum);
  if (checksum != page_checksum(shape, index_number, number, page)) {
    return fail(ErrorCode::kDataMismatch,
                fmt::format("page {} of the index is damaged, or of another index: its checksum is wrong", number), {},
                "build the index again");
  }
  const uint32_t count = nodes_in(page);
  bool is_legal = count <= shape.nodes_per_page();
  for (uint32_t slot = 0; is_legal && slot < count; ++slot) {
    const NodeView node = node_in(page, slot, shape);
    is_legal = node.edge_count() <= shape.degree;
    for (uint32_t i = 0; is_legal && i < node.edge_count(); ++i) is_legal = node.edge(i) < shape.nodes;
  }
  if (!is_legal) {
    return fail(ErrorCode::kDataMismatch, fmt::format("page {} of the index holds nodes that can't be", number), {},
                "build the index again");
  }
  return {};
}

}  // namespace mlps::vectordb
