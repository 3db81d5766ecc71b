#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// The keys a checkpointing workload may have, in the file and as overrides, and the values each of them takes.
namespace mlps::workloads {

/// Checks one key and value. Returns the value in its canonical spelling ("True" for "true"). E102 names the key, the
/// value and what would be legal; for an unknown key, the nearest known one. Keys below "storage." take any text.
Result<std::string> checked_value(std::string_view key, std::string_view value);

/// The keys every workload file must have.
std::vector<std::string_view> required_keys();

/// The name among `names` nearest to `name` by edit distance, if it is near enough to be what was meant.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& names);

}  // namespace mlps::workloads
