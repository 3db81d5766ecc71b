#pragma once

#include <map>
#include <string>
#include <vector>

#include "benchmarks/checkpointing/results/files.hpp"

/// Texts of the files the original's DLIO writes, with its names and formulas; docs/metrics.md explains each.
namespace mlps::results {

/// summary.json. Only for a run that passed; the caller sees to that.
std::string summary_text(const RunContext& context, const checkpointing::RunRecord& record);

/// <rank>_output.json, by host: it has the facts of the rank's host, and so is the same for every rank of it.
std::map<std::string, std::string> rank_output_texts(const RunContext& context, const checkpointing::RunRecord& record);

/// <rank>_per_epoch_stats.json of every rank, indexed as RunRecord::plan.ranks: its own durations, and the rate they
/// give for the checkpoint of all ranks, as the original has it. "end" only if the run passed.
std::vector<std::string> rank_stats_texts(const checkpointing::RunRecord& record);

/// dlio.log: a line per start and end of rank 0's checkpoints; the [METRIC] block, or why there is none.
std::string dlio_log_text(const checkpointing::RunRecord& record);

}  // namespace mlps::results
