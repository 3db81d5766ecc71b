#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/settings.hpp"
#include "benchmarks/vectordb/truth.hpp"

/// The queries of a search, and their exact answers.
namespace mlps::vectordb {

/// Returns the queries: those of a file, held-out vectors of the collection's own distribution, or vectors of `base`
/// with noise.
Result<VectorBlock> make_queries(const SearchSettings& search, const SourceSpec& source, const VectorSource& base);

struct FoundTruth {
  GroundTruth truth;
  bool reused = false;
};
/// Returns the exact answers: those of --truth-file as far as they can be right, those that an earlier run has left in
/// `folder` if they are of the same vectors, queries, metric and filter, else computed and left there. A damaged file
/// is E606. An empty folder: neither looked for nor left.
Result<FoundTruth> find_truth(const VectorSource& base, VectorView queries, const TruthOptions& options,
                              const SearchSettings& search, const std::string& folder);

/// Returns the order in which a worker takes the queries: a permutation that depends on seed and rank.
std::vector<uint32_t> query_order(uint64_t queries, uint64_t seed, uint32_t rank, bool lockstep);

}  // namespace mlps::vectordb
