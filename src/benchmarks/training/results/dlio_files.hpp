#pragma once

#include <string>

#include "benchmarks/training/record.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

/// Texts of the files that DLIO writes of a training run, with its names and formulas; docs/metrics.md
/// explains each.
namespace mlps::results {

/// Returns the text of summary.json. The caller writes it only for a run that passed.
std::string summary_text(const RunContext& context, const training::RunRecord& record);

/// Writes <rank>_output.json piece by piece: a number for every step of every epoch, out of the step log.
Status write_rank_output(const RunContext& context, const training::RunRecord& record, uint32_t rank, const Sink& sink);

/// Returns the text of <rank>_per_epoch_stats.json.
std::string rank_stats_text(const training::RunRecord& record, uint32_t rank);

/// Returns the text of dlio.log: epochs, blocks and their rates; the [METRIC] block, or why there is none.
std::string dlio_log_text(const RunContext& context, const training::RunRecord& record);

}  // namespace mlps::results
