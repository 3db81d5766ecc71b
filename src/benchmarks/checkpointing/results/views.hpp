#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/checkpointing/record.hpp"
#include "benchmarks/checkpointing/results/files.hpp"
#include "workloads/checkpoint_workload.hpp"

/// Views of a plan and of a record: tables for people, JSON for programs. Pure functions; every text ends in '\n'.
namespace mlps::results {

/// Name the formats of record_json() and plan_json().
inline constexpr const char* kRecordSchema = "mlpstorage.record/1";
inline constexpr const char* kPlanSchema = "mlpstorage.plan/1";

/// Holds the facts that a plan table shows beside the plan. Empty or absent members leave their lines out; datasize
/// knows few of them.
struct PlanDetails {
  std::string mode;      ///< "closed", "open", "whatif"
  std::string location;  ///< the checkpoint folder, rendered
  std::optional<checkpointing::PayloadMode> payload;
  std::optional<bool> verify;
  std::vector<std::pair<std::string, std::string>> store_settings;  ///< Store::describe()
  std::string injected_fault;
};

/// Returns a table of at most 100 columns: model, grid, processes, TP x PP, ZeRO, objects and exact bytes per
/// checkpoint, ranks of equal shape as ranges, totals, memory = workers x depth x part size, capacity, location and
/// settings.
std::string plan_table(const workloads::CheckpointWorkload& workload, const checkpointing::CheckpointPlan& plan,
                       const std::optional<checkpointing::IoPlan>& io, const PlanDetails& details);

/// Returns the same as JSON, with every rank and object (name, size_bytes); for `datasize --json` and `--dry-run`.
std::string plan_json(const workloads::CheckpointWorkload& workload, const checkpointing::CheckpointPlan& plan,
                      const std::optional<checkpointing::IoPlan>& io, const PlanDetails& details);

/// Returns a table of at most 100 columns: a write and a read column of the numbers that docs/metrics.md explains, then
/// the verdict with its reasons and the first error.
std::string result_table(const checkpointing::RunRecord& record);

/// Returns the text of mlpstorage_record.json. Without an outcome the verdict is "incomplete".
std::string record_json(const CheckpointContext& context, const checkpointing::RunRecord& record,
                        const std::optional<RunOutcome>& outcome);

}  // namespace mlps::results
