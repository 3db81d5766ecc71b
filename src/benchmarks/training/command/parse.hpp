#pragma once

#include "flags/benchmark_parse.hpp"

namespace mlps::cli {

using ParsedTraining = Parsed<TrainingOptions>;

/// The values of a command line, and what is wrong with them besides what `line` knows already.
ParsedTraining parse_training(CommandLine line);

}  // namespace mlps::cli
