#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

/// Text helpers of the command line.
namespace mlps::cli {

/// Returns the candidate with the fewest edits from `word`, or nothing if none is near enough to be what was meant.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// Returns `path` with a leading "~" or "~/" replaced by `home`; unchanged when `home` is empty.
std::string with_home(std::string_view path, std::string_view home);

/// Returns whether `name` may become part of a folder's name: [A-Za-z0-9._-]+, at most 255 of them, and not
/// "." or "..".
bool is_plain_name(std::string_view name);

}  // namespace mlps::cli
