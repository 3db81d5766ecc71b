#pragma once

#include <cstddef>
#include <string_view>

namespace mlps {

/// Levenshtein: how many characters must be inserted, deleted or replaced to make `a` of `b`. For suggesting the name
/// that was meant; its cost grows with the product of the lengths.
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace mlps
