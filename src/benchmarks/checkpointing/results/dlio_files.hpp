#pragma once

#include <map>
#include <string>
#include <vector>

#include "benchmarks/checkpointing/results/files.hpp"

/// Texts of the files that DLIO writes, with its names and formulas; docs/metrics.md explains each.
namespace mlps::results {

/// Returns the text of summary.json. The caller writes it only for a run that passed.
std::string summary_text(const RunContext& context, const checkpointing::RunRecord& record);

/// Returns the text of <rank>_output.json by host name: it has the facts of the host of a rank, so all ranks of a host
/// have the same.
std::map<std::string, std::string> rank_output_texts(const RunContext& context, const checkpointing::RunRecord& record);

/// Returns <rank>_per_epoch_stats.json of every rank, indexed as RunRecord::plan.ranks: its own durations, and the rate
/// they give for the checkpoint of all ranks, as DLIO has it. "end" only if the run passed.
std::vector<std::string> rank_stats_texts(const checkpointing::RunRecord& record);

/// Returns the text of dlio.log: a line per start and end of rank 0's checkpoints; the [METRIC] block, or why there is
/// none.
std::string dlio_log_text(const checkpointing::RunRecord& record);

}  // namespace mlps::results
