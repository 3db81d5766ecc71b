#pragma once

#include "benchmarks/vectordb/command/options.hpp"
#include "flags/command_line.hpp"

namespace mlps::cli {

using ParsedVectorDb = Parsed<VectorDbOptions>;

/// Reads the values of a command line. Adds what is wrong with them to what `line` knows already.
ParsedVectorDb parse_vectordb(CommandLine line);

}  // namespace mlps::cli
