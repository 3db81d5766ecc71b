#pragma once

#include <optional>
#include <string>
#include <string_view>
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

/// The results directory of whatif and of `try` where none is named.
inline constexpr std::string_view kDefaultResultsDir = "mlpstorage-results";

/// Returns this host's name as far as it can be a folder's.
std::string system_name_of_host();

/// Fills `settings` for the flags that nothing stronger has given, in this order: --config-file, environment, per-user
/// file, and in whatif what stands for results directory and system name. The reader of the values adds the built-in
/// defaults.
LayerNotes apply_layers(const CommandSyntax& command, const Environment& environment, Settings& settings);

}  // namespace mlps::cli
