#pragma once

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "flags/commands.hpp"
#include "session/job.hpp"

namespace mlps::cli {

/// Carries out one checkpointing command and returns the process status. `environment` is the process's, with .env
/// applied in object mode; `invocation_start` was taken first thing in main(). Collective in a job: each process runs
/// its ranks, process 0 records.
int execute_checkpointing(const CheckpointingOptions& options, const Environment& environment,
                          const Stamp& invocation_start, Job& job);

}  // namespace mlps::cli
