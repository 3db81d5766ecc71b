#pragma once

#include <string>

#include "benchmarks/training/record.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

/// Texts of the files the original's DLIO writes of a training run, with its names and formulas; docs/metrics.md
/// explains each.
namespace mlps::results {

/// summary.json. Only for a run that passed; the caller sees to that.
std::string summary_text(const RunContext& context, const training::RunRecord& record);

/// <rank>_output.json, piece by piece: a number for every step of every epoch, out of the step log.
Status write_rank_output(const RunContext& context, const training::RunRecord& record, uint32_t rank, const Sink& sink);

/// <rank>_per_epoch_stats.json.
std::string rank_stats_text(const training::RunRecord& record, uint32_t rank);

/// dlio.log: epochs, blocks and their rates; the [METRIC] block, or why there is none.
std::string dlio_log_text(const training::RunRecord& record);

}  // namespace mlps::results
