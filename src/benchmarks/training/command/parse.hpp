#pragma once

#include "benchmarks/training/command/options.hpp"
#include "flags/command_line.hpp"

namespace mlps::cli {

using ParsedTraining = Parsed<TrainingOptions>;

/// Reads the values of a command line. Adds what is wrong with them to what `line` knows already.
ParsedTraining parse_training(CommandLine line);

}  // namespace mlps::cli
