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

/// What a plan table shows beside the plan. Empty or absent members leave their lines out (datasize knows few).
struct PlanDetails {
  std::string mode;      ///< "closed", "open", "whatif"
  std::string location;  ///< the checkpoint folder, rendered
  std::optional<checkpointing::PayloadMode> payload;
  std::optional<bool> verify;
  std::vector<std::pair<std::string, std::string>> store_settings;  ///< Store::describe()
  std::string injected_fault;
};

/// At most 100 columns: model, grid, processes, TP x PP, ZeRO, objects and exact bytes per checkpoint, ranks of equal
/// shape as ranges, totals, memory = workers x depth x part size, capacity, location and settings.
std::string plan_table(const workloads::CheckpointWorkload& workload, const checkpointing::CheckpointPlan& plan,
                       const std::optional<checkpointing::IoPlan>& io, const PlanDetails& details);

/// "mlpstorage.plan/1": the same, with every rank and object (name, size_bytes); for `datasize --json`, `--dry-run`.
std::string plan_json(const workloads::CheckpointWorkload& workload, const checkpointing::CheckpointPlan& plan,
                      const std::optional<checkpointing::IoPlan>& io, const PlanDetails& details);

/// At most 100 columns: a write and a read column of the numbers docs/metrics.md explains, then the verdict with its
/// reasons and the first error.
std::string result_table(const checkpointing::RunRecord& record);

/// "mlpstorage.record/1": the very text of mlpstorage_record.json. Without an outcome the verdict is "incomplete".
std::string record_json(const CheckpointContext& context, const checkpointing::RunRecord& record,
                        const std::optional<RunOutcome>& outcome);

}  // namespace mlps::results
