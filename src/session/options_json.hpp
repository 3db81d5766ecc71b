#pragma once

#include <string>

#include "flags/commands.hpp"

namespace mlps::cli {

/// All options as a JSON object, for the metadata: the original's names and order, ours after them. No secrets.
std::string options_json(const CheckpointingOptions& options);
std::string options_json(const TrainingOptions& options);

}  // namespace mlps::cli
