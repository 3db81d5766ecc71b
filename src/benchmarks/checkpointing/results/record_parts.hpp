#pragma once

#include <optional>
#include <string>

#include "benchmarks/checkpointing/results/files.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "results/json_text.hpp"
#include "results/record_common.hpp"

/// Pieces of the JSON of this program that the record, the plan and the metadata share.
namespace mlps::results {

/// Returns the plan without its ranks.
Json plan_summary_json(const workloads::CheckpointWorkload& workload, const checkpointing::CheckpointPlan& plan,
                       const std::string& mode);
Json plan_ranks_json(const checkpointing::CheckpointPlan& plan);
Json io_plan_json(const std::optional<checkpointing::IoPlan>& io);

const char* payload_mode_name(checkpointing::PayloadMode mode);  ///< "unique", "none"
const char* grid_name(checkpointing::GridMode grid);             ///< "default", "subset"

/// Returns metrics, counters, time split and latencies of one phase; null if the phase neither ran nor was planned.
Json phase_json(const checkpointing::RunRecord& record, checkpointing::Phase phase);

/// Returns every checkpoint with the intervals of all ranks; times are nanoseconds after run_start.
Json events_json(const checkpointing::RunRecord& record);

/// Returns what plan_table() shows of a run beside the plan.
PlanDetails plan_details(const RunContext& context, const checkpointing::RunRecord& record);

}  // namespace mlps::results
