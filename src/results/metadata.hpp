#pragma once

#include <string>

#include "results/checkpoint_files.hpp"

namespace mlps::results {

inline constexpr const char* kStdoutLog = "checkpointing_run.stdout.log";
inline constexpr const char* kStderrLog = "checkpointing_run.stderr.log";

/// checkpointing_<ts>_metadata.json: the original's keys in its order, then exit_status, verdict, reasons and error.
std::string metadata_text(const RunContext& context, const checkpointing::RunRecord& record, const RunOutcome& outcome);

/// fs_separation.json.
std::string separation_text(const gates::SeparationFinding& finding);

}  // namespace mlps::results
