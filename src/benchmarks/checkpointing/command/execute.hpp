#pragma once

#include "benchmarks/checkpointing/command/options.hpp"
#include "session/command.hpp"

namespace mlps::cli {

/// Command::execute() of a checkpointing command.
int execute_checkpointing(const CheckpointingOptions& options, const CommandContext& context);

}  // namespace mlps::cli
