#pragma once

#include "session/command.hpp"

namespace mlps::cli {

extern const Benchmark kVectorDb;

}  // namespace mlps::cli
