#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/environment.hpp"

namespace mlps::cli {

/// One call of the program.
struct Invocation {
  std::vector<std::string> arguments;  ///< without the program's name
  Environment environment;
  std::string program_folder;  ///< where the executable lies; may be empty
  Stamp start;
};

/// Understands the arguments and carries out the command. stdout gets what was asked for, stderr everything else.
/// Returns the process status.
int dispatch(const Invocation& invocation);

}  // namespace mlps::cli
