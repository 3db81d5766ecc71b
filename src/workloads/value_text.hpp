#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mlps::workloads {

/// The number that all of `text` spells; nothing for an infinite one or NaN.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return value;
}

/// The items of "[a, b]", "a,b" or "a", without blanks around them; nothing where one is empty or holds a bracket,
/// quote or control character. "[]" is empty.
std::optional<std::vector<std::string>> list_of(std::string_view text);
/// "[a, b]": a list of YAML, as Values keep it.
std::string list_text(const std::vector<std::string>& items);

}  // namespace mlps::workloads
