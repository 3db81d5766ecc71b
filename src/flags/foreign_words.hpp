#pragma once

#include <string>
#include <string_view>

namespace mlps::cli {

/// Returns what to type here instead of a flag or word of fio, elbencho, warp, or of an old version of mlpstorage;
/// empty for any other text. Dashes before it don't count, and a value behind '=' isn't looked at.
std::string foreign_hint(std::string_view typed);

}  // namespace mlps::cli
