#pragma once

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/kvcache/paged.hpp"
#include "benchmarks/kvcache/results/files.hpp"
#include "benchmarks/kvcache/run.hpp"
#include "results/json_text.hpp"

/// Views of a plan and of a record: tables for people, JSON for programs. Pure functions; every text ends in '\n'.
namespace mlps::results {

inline constexpr const char* kKvRecordSchema = "mlpstorage.kvcache-record/1";
inline constexpr const char* kKvPlanSchema = "mlpstorage.kvcache-plan/1";

struct KvPlanDetails {
  std::string mode;  ///< "closed", "open", "whatif"
  uint32_t ranks_per_host = 1;
  std::vector<kvcache::CountedReplay> curve = {};  ///< of a trace, where it was read before the run
};

/// Returns the storage that all ranks need at least: the capacity that was asked for, or what is written at once.
uint64_t least_storage(const kvcache::RunSettings& run);

/// Returns what each option does, how large its entries are, and what it asks of one client, its memory and the
/// storage.
std::string plan_table(const kvcache::RunSettings& run, const KvPlanDetails& details);
Json plan_object(const kvcache::RunSettings& run, const KvPlanDetails& details);
std::string plan_json(const kvcache::RunSettings& run, const KvPlanDetails& details);

/// Returns a table of at most 100 columns: a column per option of the numbers that docs/kvcache.md explains, then the
/// verdict.
std::string result_table(const kvcache::RunRecord& record);

/// Returns the text of mlpstorage_record.json. Without an outcome the verdict is "incomplete".
std::string record_json(const KvCacheContext& context, const kvcache::RunRecord& record,
                        const std::optional<RunOutcome>& outcome);

}  // namespace mlps::results
