#pragma once

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "cli/commands.hpp"
#include "cli/execution.hpp"
#include "cli/interrupt.hpp"
#include "cli/training_prepare.hpp"

namespace mlps::cli {

/// Carries out one training command and returns the process status. `environment` is the process's, with .env applied
/// in object mode; `invocation_start` was taken first thing in main().
int execute_training(const TrainingOptions& options, const Environment& environment, const Stamp& invocation_start);

/// The commands, once they are decided.
int execute_datasize(const TrainingOptions& options, const PreparedDatasize& prepared, const Stamp& invocation_start);
int execute_datagen(const TrainingOptions& options, PreparedDatagen prepared, const Stamp& invocation_start,
                    InterruptWatch& interrupts);
int execute_run(const TrainingOptions& options, PreparedRun prepared, const Stamp& invocation_start,
                InterruptWatch& interrupts);

/// What the result files say of a training command besides its record.
results::RunContext training_context(const TrainingOptions& options, const ChosenWorkload& chosen,
                                     const results::RunFolder& folder);

/// Claims `training/<model>/<command>/<timestamp>`.
Result<results::RunFolder> begin_training_folder(const TrainingOptions& options);

}  // namespace mlps::cli
