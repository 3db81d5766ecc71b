#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "flags/tokenizer.hpp"

namespace mlps::cli {

/// Holds what the layers added, for the messages.
struct LayerNotes {
  std::vector<std::string> filled;  ///< "config file X: model, loops", and what a stronger layer outranks
  std::vector<std::string> warnings;
  std::vector<Error> errors;
};

/// Fills `settings` for the flags that nothing stronger has given, in this order: --config-file, environment, per-user
/// file. The reader of the values adds the built-in defaults.
LayerNotes apply_layers(const CommandSyntax& command, const Environment& environment, Settings& settings);

}  // namespace mlps::cli
