#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "flags/tokenizer.hpp"

/// The per-user file of defaults. It describes the environment; flags that pick the workload may not stand in it.
namespace mlps::cli {

/// Returns $XDG_CONFIG_HOME/mlpstorage/config.yaml, or the file below ~/.config if the variable is unset or relative.
/// E101 if there is no home either.
Result<std::string> user_config_path(const Environment& environment);

/// Returns the values in the file as settings; empty if there is no file. Keys that no command knows, and keys of flags
/// that may not stand there, are E102.
LayerValues read_user_values(const Grammar& grammar, const Environment& environment);

/// Sets `key`, checked as the flag is, and keeps every other key. The file is replaced in one step.
Status set_user_value(const Grammar& grammar, const Environment& environment, std::string_view key,
                      const std::vector<std::string>& values);

/// Removes `key`, whatever it is. E102 if it isn't there.
Status unset_user_value(const Grammar& grammar, const Environment& environment, std::string_view key);

/// Returns all keys with their values, and notes on what outranks or spoils them; as text or as JSON.
Result<std::string> show_user_values(const Grammar& grammar, const Environment& environment, bool json);

}  // namespace mlps::cli
