#pragma once

#include <cstddef>
#include <string_view>

namespace mlps {

/// Returns the Levenshtein distance: how many characters must be inserted, deleted or replaced to turn `a` into `b`.
/// The cost grows with the product of the lengths.
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace mlps
