#pragma once

#include <string>

#include "results/run_context.hpp"

namespace mlps::results {

inline constexpr const char* kProvenanceFile = "provenance.json";

/// Returns provenance.json: edition of the rules, tool, storage library and core configuration of a run folder, in the
/// shape "mlps-run-provenance/1" of mlpstorage 3.0. Where this program has no such thing it says "unknown".
std::string provenance_text(const RunContext& context);

}  // namespace mlps::results
