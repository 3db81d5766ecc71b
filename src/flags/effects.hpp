#pragma once

#include <string>
#include <vector>

#include "flags/command_line.hpp"

namespace mlps::cli {

/// Returns a warning for each flag and each key of --params that was given and changes nothing: because of what the
/// program is, of the command, or of another flag. Defaults of the per-user file are no mistake.
std::vector<std::string> flags_without_effect(const CommandLine& line, const BenchmarkOptions& options);

}  // namespace mlps::cli
