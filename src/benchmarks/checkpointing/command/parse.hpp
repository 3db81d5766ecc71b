#pragma once

#include "flags/benchmark_parse.hpp"

namespace mlps::cli {

using ParsedCheckpointing = Parsed<CheckpointingOptions>;

/// The values of a command line, and what is wrong with them besides what `line` knows already.
ParsedCheckpointing parse_checkpointing(CommandLine line);

}  // namespace mlps::cli
