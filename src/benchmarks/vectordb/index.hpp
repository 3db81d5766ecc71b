#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/metric_space.hpp"
#include "benchmarks/vectordb/object_files.hpp"
#include "benchmarks/vectordb/vectors.hpp"

namespace mlps::vectordb {

/// A row that a search found, by the square of its distance among stored vectors.
struct FoundRow {
  float distance = 0;
  uint64_t key = 0;
};

/// Returns how many candidates a search keeps: a filter leaves out a share of what it comes by, so the list is the
/// longer.
uint32_t widened_effort(const SearchParams& params, uint32_t rows);

/// One thread's searches in a loaded index.
class IndexSearch {
 public:
  virtual ~IndexSearch() = default;
  /// Finds the params.k rows nearest to a query that MetricSpace::store_query() has made, nearest first. `cost` gets
  /// everything but compute_ns.
  virtual Status search(std::span<const float> query, const SearchParams& params, std::vector<FoundRow>& found,
                        QueryCost& cost) = 0;
  virtual void cancel() {}  ///< any thread may call it
};

/// A built index, ready to be searched. Immutable; any thread may open searches.
class LoadedIndex {
 public:
  virtual ~LoadedIndex() = default;
  virtual Result<std::unique_ptr<IndexSearch>> open_search() = 0;
  virtual uint64_t memory_bytes() const = 0;
};

/// What an index is built from: rows as MetricSpace::store_row() has made them.
struct IndexInput {
  const CollectionSpec& spec;
  VectorView rows;
  std::span<const uint64_t> keys;
  const BuildOptions& options;
};

// Each kind of index: built into files of a collection's folder, of which it returns the bytes, and loaded from there.

/// Rows that are compared one by one, from memory: what FLAT is, and where rows are that no index holds yet.
struct FlatRows {
  VectorBlock rows;  ///< as stored
  std::vector<uint64_t> keys;

  uint64_t memory_bytes() const { return rows.values.size() * sizeof(float) + keys.size() * sizeof(uint64_t); }
  /// Adds to `found`, a heap with the farthest of at most k rows in front, what is nearer.
  void add_nearest(std::span<const float> query, uint32_t k, const KeyRange& filter, std::vector<FoundRow>& found,
                   QueryCost& cost) const;
  static bool is_nearer(const FoundRow& a, const FoundRow& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.key < b.key;
  }
};
std::unique_ptr<LoadedIndex> make_flat_index(FlatRows rows);
/// Adds a row to such a heap.
void add_nearest_row(const FoundRow& row, uint32_t k, std::vector<FoundRow>& found);

/// IVF_FLAT and IVF_SQ8.
Result<uint64_t> build_ivf(const IndexInput& input, ObjectFiles& files);
Result<std::unique_ptr<LoadedIndex>> load_ivf(const CollectionSpec& spec, uint32_t stored_dimension,
                                              ObjectFiles& files);

/// HNSW. Its rows are those of the collection, in memory; the file holds the links.
Result<uint64_t> build_hnsw(const IndexInput& input, ObjectFiles& files);
Result<std::unique_ptr<LoadedIndex>> load_hnsw(FlatRows rows, ObjectFiles& files);

/// DISKANN and AISAQ.
Result<uint64_t> build_graph_index(const IndexInput& input, ObjectFiles& files);
Result<std::unique_ptr<LoadedIndex>> load_graph_index(const CollectionSpec& spec, uint32_t stored_dimension,
                                                      const LoadOptions& options, ObjectFiles& files);
/// Returns the memory that building takes beside the stored rows.
uint64_t graph_index_build_bytes(const CollectionSpec& spec, uint64_t rows, unsigned threads);

}  // namespace mlps::vectordb
