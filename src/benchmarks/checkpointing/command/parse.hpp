#pragma once

#include "benchmarks/checkpointing/command/options.hpp"
#include "flags/command_line.hpp"

namespace mlps::cli {

using ParsedCheckpointing = Parsed<CheckpointingOptions>;

/// Reads the values of a command line. Adds what is wrong with them to what `line` knows already.
ParsedCheckpointing parse_checkpointing(CommandLine line);

}  // namespace mlps::cli
