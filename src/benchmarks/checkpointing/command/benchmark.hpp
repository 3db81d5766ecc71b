#pragma once

#include "session/command.hpp"

namespace mlps::cli {

/// The words, the flags and the commands of checkpointing, for the registry.
extern const Benchmark kCheckpointing;

}  // namespace mlps::cli
