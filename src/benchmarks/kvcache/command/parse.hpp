#pragma once

#include "benchmarks/kvcache/command/options.hpp"
#include "flags/command_line.hpp"

namespace mlps::cli {

using ParsedKvCache = Parsed<KvCacheOptions>;

/// Reads the values of a command line. Adds what is wrong with them to what `line` knows already.
ParsedKvCache parse_kvcache(CommandLine line);

}  // namespace mlps::cli
