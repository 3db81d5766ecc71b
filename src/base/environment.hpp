#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace mlps {

/// The variables a command may read, as one value that is taken once and passed down, so that nothing in the program
/// depends on a process-wide setting and tests can state theirs. An empty variable counts as unset.
class Environment {
 public:
  Environment() = default;
  explicit Environment(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  static Environment of_process();

  std::optional<std::string> get(std::string_view name) const;

  /// Replaces a variable; an empty value unsets it.
  void set(std::string_view name, std::string value) { values_[std::string(name)] = std::move(value); }

  /// Adds KEY=VALUE lines of a .env file for names not set already (the shell wins). `export ` prefixes, comments and
  /// single or double quotes are understood. A line of another shape is E104 with file and line number.
  Status add_file(const std::string& path);

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace mlps
