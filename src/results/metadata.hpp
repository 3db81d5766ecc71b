#pragma once

#include <string>

#include "results/run_context.hpp"

namespace mlps::results {

inline constexpr const char* kManifestSnapshotFile = "datagen-manifest.json";

/// Returns `<benchmark>_<command>.<stream>.log`, for example "checkpointing_run.stdout.log".
std::string log_name(const RunContext& context, const char* stream);

/// Returns <benchmark>_<ts>_metadata.json: the keys of mlpstorage 3.0 in its order, then exit_status, verdict, reasons
/// and error.
std::string metadata_text(const RunContext& context, const RunFacts& facts, const RunOutcome& outcome);

/// Returns the text of fs_separation.json.
std::string separation_text(const gates::SeparationFinding& finding);

}  // namespace mlps::results
