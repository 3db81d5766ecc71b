#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "cli/registry.hpp"
#include "world/launched_by.hpp"

namespace mlps::cli {

/// One call of the program.
struct Invocation {
  std::vector<std::string> arguments;  ///< without the program's name
  Environment environment;
  std::string program_folder;  ///< where the executable lies; may be empty
  Stamp start;
  const Registry& registry;
  /// Tells whether a launcher started this process, as one of several; an error where its variables make no sense.
  Result<std::optional<world::Launched>> launched = world::launched_by(environment);

  /// Returns whether this is one of several processes, and not the one that answers what is answered once.
  bool is_silent() const { return launched && *launched && (*launched)->index.value_or(0) != 0; }
};

/// Understands the arguments and carries out the command. stdout gets what was asked for, stderr everything else.
/// Returns the process status.
int dispatch(const Invocation& invocation);

}  // namespace mlps::cli
