#pragma once

#include <array>
#include <string>

#include "base/error.hpp"
#include "benchmarks/kvcache/record.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

namespace mlps::results {

inline constexpr std::array<std::string_view, 4> kKvCacheKeys = {"options.", "sequence.seed", "sequence.config",
                                                                 "features."};
/// Names what two kvcache runs of one class have alike.
inline constexpr ClassKeys kKvCacheClass = {"kv_cache@1", kKvCacheKeys, {}};

struct KvCacheContext : RunContext {
  uint32_t ranks_per_host = 1;
};

/// Writes at the start: `mlpstorage_record.json` with the verdict "incomplete", and what every benchmark writes then.
Status write_started(const RunFolder& folder, const KvCacheContext& context, const kvcache::RunRecord& record);

/// Writes at the end: the record, `option_<O>/trial_<T>/rank_<N>/kvcache_results_<ts>.json` of every rank, what every
/// benchmark writes, and last, only if the verdict is "passed", `summary.json`.
Status write_finished(const RunFolder& folder, const KvCacheContext& context, const kvcache::RunRecord& record,
                      const RunOutcome& outcome);

/// Returns the text of one rank's file, with the fields and formulas of mlpstorage 3.0.
std::string rank_file_text(const kvcache::RunRecord& record, const kvcache::RankTrial& trial);
/// Returns the text of summary.json, likewise.
std::string summary_text(const KvCacheContext& context, const kvcache::RunRecord& record);

}  // namespace mlps::results
