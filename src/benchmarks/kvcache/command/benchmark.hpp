#pragma once

#include "session/command.hpp"

namespace mlps::cli {

/// The words, the flags and the commands of kvcache, for the registry.
extern const Benchmark kKvCache;

}  // namespace mlps::cli
