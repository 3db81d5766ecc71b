#pragma once

#include <optional>
#include <string>

#include "benchmarks/vectordb/results/files.hpp"
#include "benchmarks/vectordb/settings.hpp"
#include "results/json_text.hpp"

/// Views of a plan and of a record: tables for people, JSON for programs. Pure functions; every text ends in '\n'.
namespace mlps::results {

inline constexpr const char* kVectorDbRecordSchema = "mlpstorage.vectordb-record/1";
inline constexpr const char* kVectorDbPlanSchema = "mlpstorage.vectordb-plan/1";

struct VectorDbPlanDetails {
  std::string mode;     ///< "closed", "open", "whatif"
  std::string command;  ///< "datasize", "datagen", "run", "configview"
  uint32_t ranks = 1;   ///< of all hosts
};

/// Returns the storage that an embedded load needs at least: vectors, and the index beside them.
uint64_t least_storage(const vectordb::Settings& settings);

std::string plan_table(const vectordb::Settings& settings, const VectorDbPlanDetails& details);
Json plan_object(const vectordb::Settings& settings, const VectorDbPlanDetails& details);
std::string plan_json(const vectordb::Settings& settings, const VectorDbPlanDetails& details);

/// Returns a table of at most 100 columns of the numbers that docs/vectordb.md explains, then the verdict.
std::string result_table(const vectordb::RunRecord& record);

/// Returns the text of mlpstorage_record.json. Without an outcome the verdict is "incomplete".
std::string record_json(const VectorDbContext& context, const vectordb::RunRecord& record,
                        const std::optional<RunOutcome>& outcome);

}  // namespace mlps::results
