#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// Text helpers that need nothing but the standard library.
namespace mlps {

/// Returns the texts or integers of `items` with `separator` between them.
template <typename Items>
std::string join(const Items& items, std::string_view separator) {
  std::string text;
  bool first = true;
  for (const auto& item : items) {
    if (!std::exchange(first, false)) text += separator;
    if constexpr (std::integral<std::remove_cvref_t<decltype(item)>>) {
      text += std::to_string(item);
    } else {
      text += std::string_view(item);
    }
  }
  return text;
}

}  // namespace mlps
