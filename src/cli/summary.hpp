#pragma once

#include <string>
#include <vector>

#include "base/environment.hpp"
#include "session/command.hpp"

namespace mlps::cli {

/// Returns what a command does and where, in one line: "training unet3d run, 8 x b200, on s3://bucket/prefix".
std::string run_line(Command& command, const Environment& environment);

/// Returns the settings of a command as lines of text, in sections and labels of mlpstorage 3.0 (docs/command-line.md),
/// the model included. Of credentials only whether they are set, and how long they are.
std::vector<std::string> run_summary(Command& command, const Environment& environment);

}  // namespace mlps::cli
