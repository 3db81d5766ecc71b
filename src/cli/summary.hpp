#pragma once

#include <string>
#include <vector>

#include "base/environment.hpp"
#include "flags/commands.hpp"

namespace mlps::cli {

/// The settings of a command as lines of text, sections and labels as the original's (docs/command-line.md), the
/// model included. Of credentials only whether they are set, and how long.
std::vector<std::string> run_summary(const CheckpointingOptions& options, const Environment& environment);
std::vector<std::string> run_summary(const TrainingOptions& options, const Environment& environment);

}  // namespace mlps::cli
