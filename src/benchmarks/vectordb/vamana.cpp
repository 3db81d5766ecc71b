#include "benchmarks/vectordb/vamana.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>

#include "base/threads.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "benchmarks/vectordb/nearest_list.hpp"
#include "payload/mix.hpp"

namespace mlps::vectordb {
namespace {

/// A neighbour list may grow to this share of the degree before it is pruned again, as in DiskANN.
constexpr double kSlack = 1.3;
/// Candidates that a row's neighbours are chosen from.
constexpr size_t kMostCandidates = 750;
constexpr size_t kLocks = 65536;

struct Candidate {
  float distance = 0;
  uint32_t node = 0;
};

/// What the threads of one build share.
struct BuildState {
  VectorView rows;
  const GraphOptions& options;
  uint32_t room;  ///< places of a node while building
  std::vector<uint32_t> edges, counts;
  uint32_t entry = 0;
  std::unique_ptr<std::array<std::mutex, kLocks>> locks = std::make_unique<std::array<std::mutex, kLocks>>();
  std::vector<uint32_t> order = {};
  std::atomic<uint64_t> done = 0;

  BuildState(VectorView all, const GraphOptions& wanted)
      : rows(all),
        options(wanted),
        room(static_cast<uint32_t>(wanted.degree * kSlack) + 1),
        edges(all.rows() * room),
        counts(all.rows()) {}

  float distance(uint32_t a, uint32_t b) const {
    return kernels().square_distance(rows.row(a).data(), rows.row(b).data(), rows.dimension());
  }
  std::mutex& lock_of(uint32_t node) { return (*locks)[node % kLocks]; }
};

/// One thread's part of a build.
class Builder {
 public:
  explicit Builder(BuildState& state) : state_(state), seen_(state.rows.rows()) {}

  void insert(uint32_t node) {
    search(node);
    {
      std::lock_guard lock(state_.lock_of(node));
      const uint32_t* edges = state_.edges.data() + size_t{node} * state_.room;
      for (uint32_t i = 0; i < state_.counts[node]; ++i) {
        if (mark(edges[i])) pool_.push_back({state_.distance(node, edges[i]), edges[i]});
      }
    }
    prune(node, state_.options.degree);
    store(node, chosen_);
    const auto neighbours = chosen_;
    for (const uint32_t other : neighbours) connect_back(other, node);
  }

  /// Cuts the neighbours of a node to the degree.
  void finish(uint32_t node) {
    if (state_.counts[node] <= state_.options.degree) return;
    prune_own(node, UINT32_MAX);
    store(node, chosen_);
  }

 private:
  bool mark(uint32_t node) {
    if (seen_[node] == epoch_) return false;
    seen_[node] = epoch_;
    return true;
  }

  /// Fills pool_ with the rows that a search for `node` expands.
  void search(uint32_t node) {
    ++epoch_;
    pool_.clear();
    seen_[node] = epoch_;
    list_.reset(state_.options.list);
    if (mark(state_.entry)) list_.add(state_.distance(node, state_.entry), state_.entry);
    while (const auto* nearest = list_.peek()) {
      const Candidate at{nearest->distance, nearest->node};
      list_.take_peeked();
      pool_.push_back(at);
      copy_unseen(at.node);
      for (const uint32_t other : fresh_) list_.add(state_.distance(node, other), other);
    }
  }

  void copy_unseen(uint32_t node) {
    fresh_.clear();
    std::lock_guard lock(state_.lock_of(node));
    const uint32_t* edges = state_.edges.data() + size_t{node} * state_.room;
    for (uint32_t i = 0; i < state_.counts[node]; ++i) {
      if (!mark(edges[i])) continue;
      fresh_.push_back(edges[i]);
      const float* row = state_.rows.row(edges[i]).data();
      for (size_t at = 0; at < std::min<size_t>(state_.rows.dimension(), 128); at += 16) __builtin_prefetch(row + at);
    }
  }

  /// Chooses at most `degree` of pool_ into chosen_: nearest first, leaving out what a chosen one is much nearer to
  /// than `node` is; first strictly, then with detours up to alpha.
  void prune(uint32_t node, uint32_t degree) {
    std::sort(pool_.begin(), pool_.end(), [](const Candidate& a, const Candidate& b) {
      return a.distance != b.distance ? a.distance < b.distance : a.node < b.node;
    });
    if (pool_.size() > kMostCandidates) pool_.resize(kMostCandidates);
    chosen_.clear();
    factors_.assign(pool_.size(), 0);
    constexpr float kChosen = std::numeric_limits<float>::max();
    for (float alpha = 1; alpha <= state_.options.alpha && chosen_.size() < degree; alpha *= 1.2F) {
      for (size_t i = 0; i < pool_.size() && chosen_.size() < degree; ++i) {
        if (factors_[i] > alpha) continue;
        factors_[i] = kChosen;
        if (pool_[i].node == node) continue;
        chosen_.push_back(pool_[i].node);
        for (size_t j = i + 1; j < pool_.size(); ++j) {
          if (factors_[j] > state_.options.alpha) continue;
          const float between = state_.distance(pool_[i].node, pool_[j].node);
          factors_[j] = between == 0 ? kChosen : std::max(factors_[j], pool_[j].distance / between);
        }
      }
    }
  }

  void prune_own(uint32_t node, uint32_t added) {
    pool_.clear();
    const uint32_t* edges = state_.edges.data() + size_t{node} * state_.room;
    for (uint32_t i = 0; i < state_.counts[node]; ++i) pool_.push_back({state_.distance(node, edges[i]), edges[i]});
    if (added != UINT32_MAX) pool_.push_back({state_.distance(node, added), added});
    prune(node, state_.options.degree);
  }

  void store(uint32_t node, const std::vector<uint32_t>& neighbours) {
    std::lock_guard lock(state_.lock_of(node));
    std::copy(neighbours.begin(), neighbours.end(),
              state_.edges.begin() + static_cast<ptrdiff_t>(size_t{node} * state_.room));
    state_.counts[node] = static_cast<uint32_t>(neighbours.size());
  }

  void connect_back(uint32_t node, uint32_t added) {
    std::lock_guard lock(state_.lock_of(node));
    uint32_t* edges = state_.edges.data() + size_t{node} * state_.room;
    uint32_t& count = state_.counts[node];
    if (std::find(edges, edges + count, added) != edges + count) return;
    if (count < state_.room) {
      edges[count++] = added;
      return;
    }
    prune_own(node, added);
    std::copy(chosen_.begin(), chosen_.end(), edges);
    count = static_cast<uint32_t>(chosen_.size());
  }

  BuildState& state_;
  std::vector<uint32_t> seen_;
  uint32_t epoch_ = 0;
  NearestList list_;
  std::vector<Candidate> pool_;
  std::vector<uint32_t> fresh_, chosen_;
  std::vector<float> factors_;
};

uint32_t nearest_to_mean(VectorView rows) {
  std::vector<double> sums(rows.dimension());
  for (size_t i = 0; i < rows.rows(); ++i) {
    for (uint32_t d = 0; d < rows.dimension(); ++d) sums[d] += double{rows.row(i)[d]};
  }
  std::vector<float> mean(rows.dimension());
  for (size_t d = 0; d < mean.size(); ++d) mean[d] = static_cast<float>(sums[d] / static_cast<double>(rows.rows()));
  uint32_t best = 0;
  float distance = std::numeric_limits<float>::infinity();
  for (uint32_t i = 0; i < rows.rows(); ++i) {
    const float other = kernels().square_distance(mean.data(), rows.row(i).data(), rows.dimension());
    if (other < distance) best = i, distance = other;
  }
  return best;
}

bool is_stopped(const GraphOptions& options) {
  return options.stop != nullptr && *options.stop;
}

/// Has all threads do `work(builder, i)` for i from 0 to count - 1.
template <class Work>
Status for_all(std::vector<Builder>& builders, uint64_t count, const GraphOptions& options, Work work) {
  std::atomic<uint64_t> next = 0;
  constexpr uint64_t kShare = 64;
  auto ran = run_on_threads(builders.size(), {.name = "graph build threads"}, [&](size_t thread) {
    for (uint64_t at; (at = next.fetch_add(kShare)) < count && !is_stopped(options);) {
      for (uint64_t i = at; i < std::min(at + kShare, count); ++i) work(builders[thread], i);
    }
  });
  if (ran && is_stopped(options)) return fail(ErrorCode::kInterrupted, "build of the index: stopped before its end");
  return ran;
}

Graph compact(const BuildState& state) {
  Graph graph{.degree = state.options.degree, .entry = state.entry};
  graph.counts = state.counts;
  graph.edges.resize(state.counts.size() * size_t{graph.degree});
  for (size_t i = 0; i < state.counts.size(); ++i) {
    std::copy_n(state.edges.data() + i * state.room, state.counts[i], graph.edges.data() + i * graph.degree);
  }
  return graph;
}

}  // namespace

Result<Graph> build_graph(VectorView rows, const GraphOptions& options) {
  if (rows.rows() == 0) return Graph{.degree = options.degree};
  BuildState state(rows, options);
  state.entry = nearest_to_mean(rows);
  state.order.resize(rows.rows());
  std::iota(state.order.begin(), state.order.end(), 0U);
  for (size_t i = rows.rows(); i-- > 1;) {
    std::swap(state.order[i], state.order[payload::mix64(options.seed ^ i * 0x9e3779b97f4a7c15u) % (i + 1)]);
  }
  std::vector<Builder> builders;
  for (unsigned t = 0; t < std::max(1U, options.threads); ++t) builders.emplace_back(state);
  const uint64_t total = rows.rows() * options.passes;
  for (unsigned pass = 0; pass < options.passes; ++pass) {
    const auto inserted = for_all(builders, rows.rows(), options, [&](Builder& builder, uint64_t i) {
      builder.insert(state.order[i]);
      const uint64_t done = ++state.done;
      if (options.progress && done % 1024 == 0) options.progress(done, total);
    });
    if (!inserted) return fail(inserted.error());
  }
  const auto cut = for_all(builders, rows.rows(), options,
                           [](Builder& builder, uint64_t i) { builder.finish(static_cast<uint32_t>(i)); });
  if (!cut) return fail(cut.error());
  return compact(state);
}

uint64_t graph_build_bytes(uint64_t rows, const GraphOptions& options) {
  const auto room = static_cast<uint64_t>(options.degree * kSlack) + 1;
  return rows * (room * 4 + 4 + 4) + rows * (options.degree * 4 + 4) + rows * 4 * std::max(1U, options.threads);
}

}  // namespace mlps::vectordb
