#pragma once

#include "base/error.hpp"
#include "benchmarks/checkpointing/record.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"
#include "workloads/checkpoint_workload.hpp"

namespace mlps::results {

struct CheckpointContext : RunContext {
  workloads::CheckpointWorkload workload;
};

/// At the start: `mlpstorage_record.json` with the verdict "incomplete" (whatever the record says, so that a killed run
/// leaves a record that says so), dlio_config/{config,hydra,overrides}.yaml, fs_separation.json if known, and
/// checkpointing_run.{stdout,stderr}.log with the plan.
Status write_started(const RunFolder& folder, const CheckpointContext& context, const checkpointing::RunRecord& record);

/// At the end, in this order: `<rank>_output.json`, `<rank>_per_epoch_stats.json` of every rank, dlio.log, both
/// checkpointing_run logs, checkpointing_cluster_info.json, fs_separation.json, checkpointing_<ts>_metadata.json,
/// the final `mlpstorage_record.json`, and last, only if the verdict is "passed", summary.json. A run that did not pass
/// has no summary.json and no [METRIC] block; its metadata say INVALID, the exit status, and why.
Status write_finished(const RunFolder& folder, const CheckpointContext& context, const checkpointing::RunRecord& record,
                      const RunOutcome& outcome);

}  // namespace mlps::results
