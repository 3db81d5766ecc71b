#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/error.hpp"
#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/nearest_list.hpp"
#include "benchmarks/vectordb/pages.hpp"
#include "benchmarks/vectordb/quantiser.hpp"

namespace mlps::vectordb {

/// Gives a search its pages. Used by one thread.
class PageReader {
 public:
  virtual ~PageReader() = default;
  /// Reads each page to its place, all at once, and checks it. Counts reads, bytes and waiting in `cost`.
  virtual Status read(std::span<const uint32_t> pages, std::span<std::byte* const> to, QueryCost& cost) = 0;
};

/// What of a graph index is in memory, shared by all searches. Immutable but for the cache, which load() fills.
struct GraphIndex {
  PageShape shape;
  uint64_t number = 0;  ///< drawn when the index was built; pages of another one don't fit it
  Quantiser quantiser;
  std::vector<uint8_t> codes = {};  ///< by position; empty with inline codes
  /// The navigation graph: some nodes, by position, with a graph among them, where every search begins.
  std::vector<uint32_t> entries = {};
  std::vector<uint8_t> entry_codes = {};
  Graph entry_graph = {};
  std::vector<uint32_t> hot_pages = {};  ///< those that searches need most, most needed first
  AlignedBuffer cache = {};              ///< pages in memory
  std::vector<uint32_t> cached_at = {};  ///< for each page, its place in `cache`, or kNoNode; empty without a cache

  uint64_t memory_bytes() const;
};

/// A set of numbers that is emptied at once; open addressing.
class NumberMap {
 public:
  void clear();
  /// Returns the value of `key`, which is `fresh` where it wasn't there.
  uint32_t& at(uint32_t key, uint32_t fresh);
  const uint32_t* find(uint32_t key) const;

 private:
  struct Slot {
    uint32_t key = 0, epoch = 0, value = 0;
  };
  void grow();
  static size_t hash(uint32_t key) { return (key * uint64_t{0x9e3779b97f4a7c15u}) >> 32; }

  std::vector<Slot> slots_ = std::vector<Slot>(4096);
  size_t count_ = 0;
  uint32_t epoch_ = 1;
};

struct GraphSearchParams {
  uint32_t k = 10;
  uint32_t list = 100;  ///< candidates that are kept; raised to k
  uint32_t beam = 1;    ///< pages read at once
  KeyRange filter = {};
};

/// The searches of one session in a graph index; see docs/vectordb-engine.md. Used by one thread.
class GraphSearch {
 public:
  GraphSearch(const GraphIndex& index, PageReader& reader) : index_(index), reader_(reader) {}

  /// Finds the k nodes nearest to `query` (as stored: normalised or extended), nearest first, by exact distance, into
  /// found().
  Status search(std::span<const float> query, const GraphSearchParams& params, QueryCost& cost);

  struct Found {
    float distance = 0;
    uint64_t key = 0;
  };
  const std::vector<Found>& found() const { return found_; }
  /// Returns the pages that the last search used.
  std::span<const uint32_t> used_pages() const { return used_; }

 private:
  void enter();
  void expand(uint32_t position);
  Status read_next(QueryCost& cost);
  void take_page(uint32_t page, const std::byte* content, QueryCost& cost);
  const std::byte* cached(uint32_t page) const;
  std::byte* next_buffer();
  void add_found(float distance, uint64_t key);

  const GraphIndex& index_;
  PageReader& reader_;
  GraphSearchParams params_;
  std::span<const float> query_;
  std::vector<float> table_;
  NearestList list_, entry_list_;
  NumberMap seen_;   ///< positions that have been ranked or expanded
  NumberMap pages_;  ///< pages of this search, by their place in contents_
  std::vector<Found> found_;
  std::vector<const std::byte*> contents_;
  std::vector<uint32_t> used_;
  std::vector<AlignedBuffer> buffers_;
  size_t buffers_used_ = 0;
  std::vector<uint32_t> wanted_, fresh_;
  std::vector<std::byte*> places_;
  std::vector<const uint8_t*> codes_;
  std::vector<float> distances_;
  std::vector<std::pair<float, uint32_t>> mates_;  ///< distances and positions of the nodes of one page
};

}  // namespace mlps::vectordb
