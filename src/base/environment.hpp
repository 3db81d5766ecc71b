#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace mlps {

/// Environment variables as a value, which is captured once and passed down, so that no code depends on process-wide
/// state and tests can set their own. An empty variable counts as unset. Not thread-safe while it is changed.
class Environment {
 public:
  Environment() = default;
  explicit Environment(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  /// Returns the variables of this process.
  static Environment of_process();

  std::optional<std::string> get(std::string_view name) const;
  const std::map<std::string, std::string>& values() const { return values_; }

  /// Replaces a variable; an empty value unsets it.
  void set(std::string_view name, std::string value) { values_[std::string(name)] = std::move(value); }

  /// Returns the names of all variables that are set.
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::string> values_;
};

/// Returns `path` with the folder HOME in place of a "~" in front of "/".
std::string expanded_path(const std::string& path, const Environment& environment);

/// Names with their values, in the order of a file.
using Variables = std::vector<std::pair<std::string, std::string>>;

/// Returns the variables of a .env file: lines NAME=VALUE, with optional `export`, quotes and comments. Any other line
/// is E104 with file and line number.
Result<Variables> read_variables(const std::string& path);

}  // namespace mlps
