#pragma once

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "cli/commands.hpp"

namespace mlps::cli {

/// Carries out one training command and returns the process status. `environment` is the process's, with .env applied
/// in object mode; `invocation_start` was taken first thing in main().
int execute_training(const TrainingOptions& options, const Environment& environment, const Stamp& invocation_start);

}  // namespace mlps::cli
