#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.hpp"

/// Text helpers that several floors share. All are pure functions; letter case means ASCII letters only, whatever the
/// locale.
namespace mlps {

/// Returns `text` without the blanks, tabs and line ends (" \t\r\n") at both ends.
std::string_view trimmed(std::string_view text);

/// Returns `text` with the letters A to Z in lower case.
std::string lower(std::string_view text);

/// Splits at every character of `separators`; empty pieces are left out.
std::vector<std::string> split(std::string_view text, std::string_view separators);

/// Returns the Levenshtein distance: how many characters must be inserted, deleted or replaced to turn `a` into `b`.
/// The cost grows with the product of the lengths.
size_t edit_distance(std::string_view a, std::string_view b);

/// Returns the elements of `list`, texts or whole numbers, with `separator` between them.
template <class List>
std::string join(const List& list, std::string_view separator) {
  std::string text;
  bool first = true;
  for (const auto& item : list) {
    if (!first) text += separator;
    first = false;
    if constexpr (std::is_convertible_v<decltype(item), std::string_view>) {
      text += std::string_view(item);
    } else {
      static_assert(std::is_integral_v<std::remove_cvref_t<decltype(item)>>);
      text += std::to_string(item);
    }
  }
  return text;
}

/// Returns the number that all of `text` spells in decimal (no sign '+', no blanks); nothing if it spells none, or one
/// that `Number` can't hold. Floating-point numbers may be infinite or NaN. Defined for the fundamental integers of 16
/// bits and more, and for double.
template <class Number>
std::optional<Number> parse_number(std::string_view text);

/// Splits a line as a POSIX shell does: at white space, with '...', "..." and backslashes. E104 if a quote is not
/// closed.
Result<std::vector<std::string>> shell_split(std::string_view line);

/// Returns `text` with control characters but line ends and tabs shown as "\x1b": a terminal obeys them, and a text may
/// be of a file that somebody else wrote.
std::string terminal_text(std::string_view text);

/// Returns `word`, in quotes where a POSIX shell needs them.
std::string shell_quoted(std::string_view word);

}  // namespace mlps
