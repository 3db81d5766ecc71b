#include <fmt/format.h>
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <utility>

#include "base/threads.hpp"
#include "benchmarks/vectordb/binary.hpp"
#include "benchmarks/vectordb/graph_file.hpp"
#include "benchmarks/vectordb/index.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "benchmarks/vectordb/nearest_list.hpp"

// HNSW is built by hnswlib and searched here: its own search reads one search effort from the whole index, which
// sessions share, and its loader trusts what it reads.
namespace mlps::vectordb {
namespace {

constexpr std::string_view kHnswFile = "index.hnsw";
constexpr uint32_t kMostLayers = 64;

/// The space of square distances by this program's kernels.
class KernelSpace final : public hnswlib::SpaceInterface<float> {
 public:
  explicit KernelSpace(size_t dimension) : dimension_(dimension) {}
  size_t get_data_size() override { return dimension_ * sizeof(float); }
  hnswlib::DISTFUNC<float> get_dist_func() override {
    return [](const void* a, const void* b, const void* size) {
      return kernels().square_distance(static_cast<const float*>(a), static_cast<const float*>(b),
                                       *static_cast<const size_t*>(size));
    };
  }
  void* get_dist_func_param() override { return &dimension_; }

 private:
  size_t dimension_;
};

/// Layer 0 holds all rows; the nodes of a layer above are numbers of `rows`.
struct Layers {
  struct Upper {
    std::vector<uint32_t> rows;  ///< sorted
    Graph graph;                 ///< by place in `rows`
  };
  Graph base;
  std::vector<Upper> upper = {};  ///< layer 1 first
};

using Hnsw = hnswlib::HierarchicalNSW<float>;

uint32_t row_of(const Hnsw& built, uint32_t node) {
  return static_cast<uint32_t>(built.getExternalLabel(node));
}

/// Takes the links of one layer out of hnswlib's memory, by row number. `place` gives a row's place in the layer.
template <class Place>
void take_links(const Hnsw& built, const std::vector<uint32_t>& nodes, int level, Graph& graph, const Place& place) {
  graph.counts.resize(nodes.size());
  graph.edges.resize(nodes.size() * size_t{graph.degree});
  for (const uint32_t node : nodes) {
    const uint32_t at = place(row_of(built, node));
    const unsigned* list = built.get_linklist_at_level(node, level);
    uint16_t count;
    std::memcpy(&count, list, sizeof count);
    graph.counts[at] = count;
    for (uint32_t i = 0; i < count; ++i) graph.edges[size_t{at} * graph.degree + i] = place(row_of(built, list[1 + i]));
  }
}

Layers layers_of(const Hnsw& built, uint32_t m) {
  Layers layers;
  layers.base.degree = 2 * m;
  layers.base.entry = row_of(built, built.enterpoint_node_);
  for (int level = 0; level <= built.maxlevel_; ++level) {
    std::vector<uint32_t> nodes;
    for (uint32_t node = 0; node < built.cur_element_count; ++node) {
      if (built.element_levels_[node] >= level) nodes.push_back(node);
    }
    if (level == 0) {
      take_links(built, nodes, level, layers.base, [](uint32_t row) { return row; });
      continue;
    }
    Layers::Upper& upper = layers.upper.emplace_back();
    upper.graph.degree = m;
    for (const uint32_t node : nodes) upper.rows.push_back(row_of(built, node));
    std::sort(upper.rows.begin(), upper.rows.end());
    const auto place = [&](uint32_t row) {
      return static_cast<uint32_t>(std::lower_bound(upper.rows.begin(), upper.rows.end(), row) - upper.rows.begin());
    };
    upper.graph.entry = place(layers.base.entry);
    take_links(built, nodes, level, upper.graph, place);
  }
  return layers;
}

std::vector<std::byte> serialise_layers(const Layers& layers) {
  BinaryWriter out;
  const auto put_part = [&](const std::vector<std::byte>& bytes) {
    out.put(uint64_t{bytes.size()});
    out.put_all(std::span<const std::byte>(bytes));
  };
  put_part(serialise(layers.base));
  out.put(static_cast<uint32_t>(layers.upper.size()));
  for (const auto& upper : layers.upper) {
    out.put(static_cast<uint32_t>(upper.rows.size()));
    out.put_all(std::span<const uint32_t>(upper.rows));
    put_part(serialise(upper.graph));
  }
  return std::move(out.bytes());
}

class HnswSearch final : public IndexSearch {
 public:
  HnswSearch(const Layers& layers, const FlatRows& rows) : layers_(layers), rows_(rows), seen_(layers.base.nodes()) {}

  Status search(std::span<const float> query, const SearchParams& params, std::vector<FoundRow>& found,
                QueryCost& cost) override {
    query_ = query;
    const uint32_t entry = descend(cost);
    list_.reset(widened_effort(params, layers_.base.nodes()));
    if (++epoch_ == 0) {
      std::fill(seen_.begin(), seen_.end(), 0U);
      epoch_ = 1;
    }
    seen_[entry] = epoch_;
    list_.add(distance(entry), entry);
    while (const auto* nearest = list_.peek()) {
      const uint32_t at = nearest->node;
      list_.take_peeked();
      expand(at, cost);
    }
    found.clear();
    for (const auto& row : list_.entries()) {
      if (found.size() == params.k) break;
      if (params.filter.contains(rows_.keys[row.node])) found.push_back({row.distance, rows_.keys[row.node]});
    }
    return {};
  }

 private:
  const float* vector(uint32_t row) const { return rows_.rows.values.data() + size_t{row} * rows_.rows.dimension; }
  float distance(uint32_t row) const { return kernels().square_distance(query_.data(), vector(row), query_.size()); }

  /// Goes down the layers to the row of layer 1 that is nearest to the query, as far as steps lead there.
  uint32_t descend(QueryCost& cost) const {
    uint32_t row = layers_.base.entry;
    float best = distance(row);
    for (size_t level = layers_.upper.size(); level-- > 0;) {
      const auto& upper = layers_.upper[level];
      auto at = static_cast<uint32_t>(std::lower_bound(upper.rows.begin(), upper.rows.end(), row) - upper.rows.begin());
      for (bool moved = true; moved;) {
        moved = false;
        for (const uint32_t next : upper.graph.of(at)) {
          const float other = distance(upper.rows[next]);
          ++cost.scored;
          if (other < best) best = other, at = next, moved = true;
        }
      }
      row = upper.rows[at];
    }
    return row;
  }

  void expand(uint32_t row, QueryCost& cost) {
    fresh_.clear();
    for (const uint32_t next : layers_.base.of(row)) {
      if (std::exchange(seen_[next], epoch_) == epoch_) continue;
      fresh_.push_back(next);
      const auto* bytes = reinterpret_cast<const char*>(vector(next));
      for (size_t at = 0; at < std::min<size_t>(query_.size() * sizeof(float), 512); at += 64)
        __builtin_prefetch(bytes + at);
    }
    cost.scored += fresh_.size();
    for (const uint32_t next : fresh_) list_.add(distance(next), next);
  }

  const Layers& layers_;
  const FlatRows& rows_;
  std::span<const float> query_;
  std::vector<uint32_t> seen_;
  uint32_t epoch_ = 0;
  NearestList list_;
  std::vector<uint32_t> fresh_;
};

class HnswIndex final : public LoadedIndex {
 public:
  HnswIndex(Layers layers, FlatRows rows) : layers_(std::move(layers)), rows_(std::move(rows)) {}
  Result<std::unique_ptr<IndexSearch>> open_search() override { return std::make_unique<HnswSearch>(layers_, rows_); }
  uint64_t memory_bytes() const override {
    uint64_t links = layers_.base.edges.size() + layers_.base.counts.size();
    for (const auto& upper : layers_.upper)
      links += upper.graph.edges.size() + upper.graph.counts.size() + upper.rows.size();
    return rows_.memory_bytes() + links * sizeof(uint32_t);
  }

 private:
  Layers layers_;
  FlatRows rows_;
};

Result<Layers> parse_layers(std::span<const std::byte> bytes, uint64_t rows) {
  BinaryReader in(bytes);
  const auto take_part = [&]() -> Result<Graph> {
    const auto part = in.take_all<std::byte>(in.take<uint64_t>());
    return parse_graph(part);
  };
  Layers layers;
  auto base = take_part();
  if (!base) return fail(base.error());
  layers.base = std::move(*base);
  const auto count = in.take<uint32_t>();
  bool is_legal = in.is_valid() && count <= kMostLayers && rows != 0 && layers.base.nodes() == rows;
  uint32_t nodes = layers.base.nodes();
  for (uint32_t level = 0; is_legal && level < count; ++level) {
    Layers::Upper upper;
    const auto size = in.take<uint32_t>();
    upper.rows = in.take_all<uint32_t>(size);
    auto graph = take_part();
    if (!graph) return fail(graph.error());
    upper.graph = std::move(*graph);
    // What is in a layer is also in the one below; the entry is in all.
    const auto& below = layers.upper.empty() ? std::vector<uint32_t>() : layers.upper.back().rows;
    is_legal =
        in.is_valid() && !upper.rows.empty() && upper.rows.size() <= nodes &&
        upper.graph.nodes() == upper.rows.size() && std::is_sorted(upper.rows.begin(), upper.rows.end()) &&
        upper.rows.back() < rows && upper.rows[upper.graph.entry] == layers.base.entry &&
        (layers.upper.empty() || std::includes(below.begin(), below.end(), upper.rows.begin(), upper.rows.end()));
    nodes = static_cast<uint32_t>(upper.rows.size());
    layers.upper.push_back(std::move(upper));
  }
  if (is_legal && in.is_valid() && in.left() == 0) return layers;
  return fail(ErrorCode::kDataMismatch, "the index can't be read: its layers do not fit together", {},
              "build the index again");
}

}  // namespace

Result<uint64_t> build_hnsw(const IndexInput& input, ObjectFiles& files) {
  if (auto removed = files.remove(kHnswFile); !removed) return fail(removed.error());
  const auto rows = static_cast<uint32_t>(input.rows.rows());
  KernelSpace space(input.rows.dimension());
  Hnsw graph(&space, rows, input.spec.m, input.spec.ef_construction, input.spec.seed);
  // The library looks one entry beyond the last neighbour of a list, to fetch it ahead: room for it.
  graph.size_links_per_element_ += sizeof(hnswlib::tableint);
  graph.addPoint(input.rows.row(0).data(), 0);
  std::atomic<uint32_t> next = 1;
  const auto is_stopped = [&] { return input.options.stop != nullptr && *input.options.stop; };
  const auto ran = run_on_threads(std::max(1U, input.options.threads), {.name = "graph build threads"}, [&](size_t) {
    for (uint32_t row; (row = next++) < rows && !is_stopped();) {
      graph.addPoint(input.rows.row(row).data(), row);
      if (input.options.progress && row % 1024 == 0) input.options.progress("graph", row, rows);
    }
  });
  if (!ran) return fail(ran.error());
  if (is_stopped()) return fail(ErrorCode::kInterrupted, "build of the index: stopped before its end");
  auto bytes = serialise_layers(layers_of(graph, input.spec.m));
  const uint64_t size = bytes.size();
  if (auto written = files.write_checked(kHnswFile, std::move(bytes)); !written) return fail(written.error());
  return size;
}

Result<std::unique_ptr<LoadedIndex>> load_hnsw(FlatRows rows, ObjectFiles& files) {
  auto bytes = files.read_checked(kHnswFile);
  if (!bytes) return fail(bytes.error());
  auto layers = parse_layers(*bytes, rows.keys.size());
  if (!layers) return fail(layers.error());
  return std::make_unique<HnswIndex>(std::move(*layers), std::move(rows));
}

}  // namespace mlps::vectordb
