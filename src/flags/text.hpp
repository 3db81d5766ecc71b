#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// Small text helpers of the command line.
namespace mlps::cli {

/// Splits at every character of `separators`, without empty pieces.
std::vector<std::string> split(std::string_view text, std::string_view separators);

std::string lower(std::string_view text);

/// The candidate with the fewest edits from `word`, or empty if none is near enough to be what was meant.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// Quotes `word` for a POSIX shell where it needs it.
std::string shell_quoted(std::string_view word);

/// Splits a line as a POSIX shell would: blanks, '...', "..." and backslashes. E104 on an open quote.
Result<std::vector<std::string>> shell_split(std::string_view line);

/// `path` with a leading "~" or "~/" replaced by `home`; unchanged when `home` is empty.
std::string with_home(std::string_view path, std::string_view home);

/// Names that go into folder names: [A-Za-z0-9._-]+, and not "." or "..".
bool is_plain_name(std::string_view name);

}  // namespace mlps::cli
