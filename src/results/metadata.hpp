#pragma once

#include <string>

#include "results/run_context.hpp"

namespace mlps::results {

/// "checkpointing_run.stdout.log": `<benchmark>_<command>.<stream>.log`.
std::string log_name(const RunContext& context, const char* stream);

/// <benchmark>_<ts>_metadata.json: the original's keys in its order, then exit_status, verdict, reasons and error.
std::string metadata_text(const RunContext& context, const RunFacts& facts, const RunOutcome& outcome);

/// fs_separation.json.
std::string separation_text(const gates::SeparationFinding& finding);

}  // namespace mlps::results
