#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

  /// Adds the variables of a .env file that are not set already (the shell wins): lines NAME=VALUE, with optional
  /// `export`, quotes and comments. Any other line is E104 with file and line number.
  Status add_file(const std::string& path);

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace mlps
