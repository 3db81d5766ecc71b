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

/// The items of "[a, b]", "a,b" or "a", without blanks around them; nothing where one is empty or holds a bracket,
/// quote or control character. "[]" is empty.
std::optional<std::vector<std::string>> list_of(std::string_view text);
/// "[a, b]": a list of YAML, as Values keep it.
std::string list_text(const std::vector<std::string>& items);

}  // namespace mlps::workloads
