#include "benchmarks/vectordb/graph_search.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "benchmarks/vectordb/kernels/kernels.hpp"

namespace mlps::vectordb {
namespace {

/// Candidates of a search in the navigation graph, all of which the search on storage begins with.
constexpr size_t kEntryCandidates = 16;
/// Nodes that come with a page that was read are expanded as well, up to this multiple of the farthest candidate's
/// distance (in squares): their edges cost no read, and lead to rows that the candidates' own edges miss.
constexpr float kMateReach = 1.4F;
/// Values in seen_.
constexpr uint32_t kRanked = 1, kExpanded = 2;

}  // namespace

uint64_t GraphIndex::memory_bytes() const {
  return codes.size() + entry_codes.size() + cache.size() + quantiser.memory_bytes() +
         4 * (entries.size() + entry_graph.edges.size() + entry_graph.counts.size() + cached_at.size());
}

void NumberMap::clear() {
  count_ = 0;
  if (++epoch_ != 0) return;
  std::fill(slots_.begin(), slots_.end(), Slot{});
  epoch_ = 1;
}

uint32_t& NumberMap::at(uint32_t key, uint32_t fresh) {
  if (2 * count_ >= slots_.size()) grow();
  const size_t mask = slots_.size() - 1;
  size_t at = hash(key) & mask;
  for (; slots_[at].epoch == epoch_; at = (at + 1) & mask) {
    if (slots_[at].key == key) return slots_[at].value;
  }
  ++count_;
  slots_[at] = {key, epoch_, fresh};
  return slots_[at].value;
}

const uint32_t* NumberMap::find(uint32_t key) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash(key) & mask; slots_[at].epoch == epoch_; at = (at + 1) & mask) {
    if (slots_[at].key == key) return &slots_[at].value;
  }
  return nullptr;
}

void NumberMap::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  count_ = 0;
  for (const Slot& slot : old) {
    if (slot.epoch == epoch_) at(slot.key, slot.value);
  }
}

Status GraphSearch::search(std::span<const float> query, const GraphSearchParams& params, QueryCost& cost) {
  params_ = params;
  params_.list = std::max(params.list, params.k);
  query_ = query;
  index_.quantiser.make_table(query, table_);
  list_.reset(params_.list);
  seen_.clear();
  pages_.clear();
  contents_.clear();
  used_.clear();
  found_.clear();
  buffers_used_ = 0;
  enter();
  while (const auto* nearest = list_.peek()) {
    const uint32_t node = nearest->node, page = node / index_.shape.nodes_per_page();
    if (pages_.find(page) != nullptr) {
      list_.take_peeked();
      expand(node);
    } else if (const std::byte* content = cached(page)) {
      ++cost.cache_hits;
      take_page(page, content, cost);  // the nearest candidate may be another one now
    } else if (auto read = read_next(cost); !read) {
      return read;
    }
  }
  return {};
}

void GraphSearch::enter() {
  const uint32_t bytes = index_.shape.code_bytes;
  const auto distance = [&](uint32_t entry) {
    const uint8_t* code = index_.entry_codes.data() + size_t{entry} * bytes;
    float sum;
    kernels().code_distances(table_.data(), &code, 1, bytes, &sum);
    return sum;
  };
  entry_list_.reset(kEntryCandidates);
  if (index_.entries.empty()) return;
  seen_.at(index_.entry_graph.entry, kRanked);
  entry_list_.add(distance(index_.entry_graph.entry), index_.entry_graph.entry);
  while (const auto* nearest = entry_list_.peek()) {
    const uint32_t at = nearest->node;
    entry_list_.take_peeked();
    for (const uint32_t next : index_.entry_graph.of(at)) {
      if (std::exchange(seen_.at(next, 0), kRanked) == 0) entry_list_.add(distance(next), next);
    }
  }
  seen_.clear();
  for (const auto& entry : entry_list_.entries()) {
    seen_.at(index_.entries[entry.node], kRanked);
    list_.add(entry.distance, index_.entries[entry.node]);
  }
}

const std::byte* GraphSearch::cached(uint32_t page) const {
  if (index_.cached_at.empty() || index_.cached_at[page] == kNoNode) return nullptr;
  return index_.cache.data() + size_t{index_.cached_at[page]} * index_.shape.page_bytes();
}

Status GraphSearch::read_next(QueryCost& cost) {
  wanted_.clear();
  places_.clear();
  for (const auto& entry : list_.entries()) {
    if (wanted_.size() == std::max(1U, params_.beam)) break;
    const uint32_t page = entry.node / index_.shape.nodes_per_page();
    if (entry.is_taken || cached(page) != nullptr || pages_.find(page) != nullptr ||
        std::find(wanted_.begin(), wanted_.end(), page) != wanted_.end()) {
      continue;
    }
    wanted_.push_back(page);
    places_.push_back(next_buffer());
  }
  if (auto read = reader_.read(wanted_, places_, cost); !read) return read;
  for (size_t i = 0; i < wanted_.size(); ++i) take_page(wanted_[i], places_[i], cost);
  return {};
}

std::byte* GraphSearch::next_buffer() {
  constexpr size_t kBuffersPerBlock = 64;
  const size_t at = buffers_used_++;
  const size_t bytes = index_.shape.page_bytes();
  if (at / kBuffersPerBlock == buffers_.size()) {
    // Without memory the search ends as it does everywhere: by an exception that its thread turns into an error.
    auto block = AlignedBuffer::allocate(kBuffersPerBlock * bytes);
    if (!block) throw std::bad_alloc();
    buffers_.push_back(std::move(*block));
  }
  return buffers_[at / kBuffersPerBlock].data() + at % kBuffersPerBlock * bytes;
}

/// Compares every node of a page, whoever wanted it: they are neighbours, and their vectors are here.
void GraphSearch::take_page(uint32_t page, const std::byte* content, QueryCost& cost) {
  pages_.at(page, static_cast<uint32_t>(contents_.size()));
  contents_.push_back(content);
  used_.push_back(page);
  const uint32_t count = nodes_in(content);
  mates_.clear();
  cost.scored += count;
  for (uint32_t slot = 0; slot < count; ++slot) {
    const NodeView node = node_in(content, slot, index_.shape);
    const float distance = kernels().square_distance(query_.data(), node.vector(), index_.shape.dimension);
    add_found(distance, node.key());
    const uint32_t position = page * index_.shape.nodes_per_page() + slot;
    uint32_t& state = seen_.at(position, 0);
    if (std::exchange(state, std::max(state, kRanked)) == 0) list_.add(distance, position);
    mates_.emplace_back(distance, position);
  }
  for (const auto& [distance, position] : mates_) {
    if (distance < kMateReach * list_.limit()) expand(position);
  }
}

void GraphSearch::expand(uint32_t position) {
  if (std::exchange(seen_.at(position, 0), kExpanded) == kExpanded) return;
  const uint32_t per_page = index_.shape.nodes_per_page(), bytes = index_.shape.code_bytes;
  const NodeView node = node_in(contents_[*pages_.find(position / per_page)], position % per_page, index_.shape);
  fresh_.clear();
  codes_.clear();
  for (uint32_t i = 0; i < node.edge_count(); ++i) {
    const uint32_t next = node.edge(i);
    uint32_t& state = seen_.at(next, 0);
    if (state != 0) continue;
    state = kRanked;
    fresh_.push_back(next);
    codes_.push_back(index_.shape.inline_codes ? node.edge_code(i) : index_.codes.data() + size_t{next} * bytes);
    __builtin_prefetch(codes_.back());
  }
  distances_.resize(fresh_.size());
  kernels().code_distances(table_.data(), codes_.data(), codes_.size(), bytes, distances_.data());
  for (size_t i = 0; i < fresh_.size(); ++i) list_.add(distances_[i], fresh_[i]);
}

void GraphSearch::add_found(float distance, uint64_t key) {
  if (!params_.filter.contains(key)) return;
  const auto at = std::upper_bound(found_.begin(), found_.end(), distance,
                                   [](float value, const Found& found) { return value < found.distance; });
  if (at == found_.end() && found_.size() == params_.k) return;
  if (found_.size() == params_.k) found_.pop_back();
  found_.insert(at, {distance, key});
}

}  // namespace mlps::vectordb
