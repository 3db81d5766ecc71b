#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/tree.hpp"

namespace mlps::rules {

inline constexpr const char* kCache = "kv_cache";
/// What mlpstorage 3.0.46 does with the rules of kv_cache.
inline constexpr std::string_view kLooksAtNothing = "looks at nothing: its check is empty";

/// Holds what the files of the ranks of a kv_cache run say, by option and trial.
struct CacheRanks {
  /// Holds the figures of one rank in one trial; rates that a file doesn't have are 0, as in the sums of
  /// mlpstorage 3.0.
  struct Rank {
    std::string folder;  ///< relative to the run folder: "option_1/trial_0/rank_3"
    size_t files = 0;    ///< named kvcache_results_*.json; the first of them is read
    bool is_readable = false;
    bool in_memory = false;     ///< its storage_entries is 0
    double read_gib_per_s = 0;  ///< of the storage tier
    double write_gib_per_s = 0;
    double storage_tokens_per_s = 0;
    std::optional<double> tokens_per_s = {};
    std::optional<double> request_p95_ms = {}, read_p95_ms = {}, device_read_p95_ms = {}, device_write_p95_ms = {};
  };
  using Trials = std::map<std::string, std::vector<Rank>>;
  std::map<std::string, Trials> options;  ///< by "1", "2", "3"; then by "trial_0"
  Problems problems;                      ///< files that can't be read
};

/// Returns that of a run folder. It is read once for a workload, in pieces, whatever the size of the files; of each
/// only its summary is kept. For one thread at a time, as the workload is.
const CacheRanks& cache_ranks_of(const Tree& tree, const Workload& workload, const Leaf& leaf);

/// Returns the highest P95 of an option's reads from storage over all ranks and trials; nothing if no file has one.
std::optional<double> highest_read_p95(const CacheRanks& ranks, const std::string& option);

}  // namespace mlps::rules
