#pragma once

#include "session/command.hpp"

namespace mlps::cli {

/// The words, the flags and the commands of training, for the registry.
extern const Benchmark kTraining;

}  // namespace mlps::cli
