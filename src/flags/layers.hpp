#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "flags/tokenizer.hpp"

namespace mlps::cli {

/// Holds what the layers added, for the messages.
struct LayerNotes {
  std::vector<std::string> filled;  ///< "config file X: model, loops"
  std::vector<std::string> warnings;
  std::vector<Error> errors;
};

/// Fills `settings` for the flags that nothing stronger has given, in this order: --config-file, environment, per-user
/// file. The reader of the values adds the built-in defaults.
LayerNotes apply_layers(const CommandSyntax& command, const Environment& environment, Settings& settings);

/// Adds the first of ./.env and `program_folder`/../.env to `environment`, for names not set there. Returns the file's
/// path, or empty if there is none.
Result<std::string> load_dotenv(const std::string& program_folder, Environment& environment);

}  // namespace mlps::cli
