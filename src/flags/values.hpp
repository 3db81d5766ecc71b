#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "flags/flags.hpp"
#include "flags/tokenizer.hpp"

namespace mlps::cli {

/// Returns what a switch's text says: true, yes, on, 1, or false, no, off, 0, in any case.
std::optional<bool> switch_value(std::string_view text);

/// Checks whether `text` may be a value of `flag` in `mode`: its type, range and choices. E102 names the flag, the
/// value and the legal ones. For lists: one element.
Status check_value(const Flag& flag, Mode mode, std::string_view text);

/// Returns host words as typed, by the grammar of world::parse_host_list(), as a list of "host" and "host:slots".
Result<std::vector<std::string>> parse_hosts(const std::vector<std::string>& words);

/// Turns settings into typed values. Every method takes the name of a flag of the command's group and returns the
/// row's default where nothing was given. A value that doesn't convert is added to `errors` once, and the default is
/// returned. A flag that the group doesn't have is never given, and has no default. Keeps references.
class Reader {
 public:
  Reader(const Settings& settings, const CommandSyntax& command, std::vector<Error>& errors)
      : settings_(settings), command_(command), errors_(errors) {}

  bool given(std::string_view name) const { return settings_.find(name) != settings_.end(); }
  /// Returns "flag", "config file X", ..., or nothing where nothing was given.
  std::string origin(std::string_view name) const;

  bool on(std::string_view name);
  std::string text(std::string_view name);
  /// Returns a choice in the table's own spelling.
  std::string choice(std::string_view name);
  /// Returns whether the value is "max": then its number is 0, or nothing.
  bool is_max(std::string_view name);
  uint64_t integer(std::string_view name);
  uint32_t small(std::string_view name) { return static_cast<uint32_t>(integer(name)); }
  std::optional<uint64_t> optional_integer(std::string_view name);
  double real(std::string_view name);
  uint64_t size(std::string_view name);
  std::vector<std::string> list(std::string_view name);
  std::vector<std::string> hosts(std::string_view name);
  std::vector<std::pair<std::string, std::string>> pairs(std::string_view name);

  /// Returns all flags that the command has in some mode, by key, with their typed values; null where nothing says one.
  /// Call it once all values are known to convert.
  Json arguments();

  /// Adds one E101 for each flag that this command requires and nothing supplies: first those that can only be typed;
  /// in each part shared ones first. Those in `reported` are left out.
  void report_missing(const std::vector<const Flag*>& reported = {});

 private:
  // Returns the text to convert, checked; the default when nothing was given or what was given is wrong.
  std::string checked(std::string_view name);
  Json value(const Flag& flag);

  const Settings& settings_;
  const CommandSyntax& command_;
  std::vector<Error>& errors_;
};

}  // namespace mlps::cli
