#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/vector_source.hpp"
#include "benchmarks/vectordb/vectors.hpp"

namespace mlps::vectordb {

/// Rows from `first` up to, not including, `end`, by key; the filter of a filtered search.
struct KeyRange {
  uint64_t first = 0;
  uint64_t end = UINT64_MAX;
  bool contains(uint64_t key) const { return key >= first && key < end; }
  bool is_everything() const { return first == 0 && end == UINT64_MAX; }
};

/// One found row; by score downwards, and by key upwards where scores are equal.
struct Neighbour {
  uint64_t key = 0;
  float score = 0;  ///< higher is nearer; see Metric
};

/// The exact nearest rows of some queries.
struct GroundTruth {
  std::string identity;    ///< of the source, the queries, the metric, k and the filter: a text with their hashes
  uint64_t rows = 0;       ///< rows that were compared with each query
  uint32_t k = 0;          ///< wanted neighbours per query
  uint32_t per_query = 0;  ///< stored neighbours per query: the smaller of k and the rows inside the filter
  std::vector<Neighbour> neighbours = {};  ///< per_query of each query, query after query

  /// Stands behind the neighbours of a query that has fewer than the others; truths of files may have such.
  static constexpr uint64_t kNoKey = UINT64_MAX;

  size_t queries() const { return per_query == 0 ? 0 : neighbours.size() / per_query; }
  std::span<const Neighbour> of(size_t query) const {
    auto found = std::span(neighbours).subspan(query * per_query, per_query);
    while (!found.empty() && found.back().key == kNoKey) found = found.first(found.size() - 1);
    return found;
  }
};

struct TruthOptions {
  Metric metric = Metric::kCosine;
  uint32_t k = 100;
  KeyRange filter = {};
  unsigned threads = 1;
  uint64_t memory_bytes = uint64_t{256} << 20;       ///< for blocks of rows, over all threads
  std::function<void(uint64_t rows)> progress = {};  ///< gets the rows done so far; any thread calls it
  const std::atomic<bool>* stop = nullptr;           ///< set: compute_truth() ends soon with E203
};

/// Returns the text that compute_truth() puts into GroundTruth::identity, without computing anything: stored truth is
/// used again only if the texts are equal.
std::string truth_identity(const VectorSource& base, VectorView queries, const TruthOptions& options);

/// Finds the exact nearest rows of all queries, by blocks, on all threads, while reading every row of `base` once.
/// Cosine divides by the lengths, so it needs no normalised rows; a row or query of length 0 has cosine 0.
Result<GroundTruth> compute_truth(const VectorSource& base, VectorView queries, const TruthOptions& options);

/// Return the bytes of a stored ground truth (versioned, with checksum), and what such bytes hold. parse_truth() is for
/// hostile input: E606 says what is wrong, and that the file is to be deleted.
std::vector<std::byte> serialise(const GroundTruth& truth);
Result<GroundTruth> parse_truth(std::span<const std::byte> bytes);

/// Returns the recall of one answer: the share of the query's true k nearest rows (fewer if the collection has fewer)
/// that `answer` holds. Rows as near as the k-th count as well, within `epsilon` of its score (0: equal scores only),
/// as far as the truth knows their score (per_query > k); keys that come twice count once; never above 1.
/// `ties`, if given, is raised by the hits beyond the first k of the truth.
double recall_of(std::span<const Neighbour> truth, std::span<const uint64_t> answer, uint32_t k, float epsilon = 0,
                 uint64_t* ties = nullptr);

}  // namespace mlps::vectordb
