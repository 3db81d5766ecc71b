#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace mlps::workloads {

/// Returns the finite number that all of `text` spells; nothing if it spells none.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  const std::optional<Number> value = parse_number<Number>(text);
  if constexpr (std::is_floating_point_v<Number>) {
    if (value && !std::isfinite(*value)) return std::nullopt;
  }
  return value;
}

/// Returns the items of "[a, b]", "a,b" or "a", without blanks around them; nothing if an item is empty or contains a
/// bracket, quote or control character. "[]" is the empty list.
std::optional<std::vector<std::string>> list_of(std::string_view text);
/// Returns "[a, b]", the form of a list in Values.
std::string list_text(const std::vector<std::string>& items);

}  // namespace mlps::workloads
