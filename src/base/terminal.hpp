#pragma once

#include <string>
#include <string_view>

#include "base/log.hpp"

/// What the terminal on stderr can do, asked for when it is used: people resize it.
namespace mlps {

/// Returns whether stderr is a terminal that takes control sequences: TERM=dumb is none.
bool stderr_is_screen();

/// Returns whether what is written to stderr may be coloured: as `mode` says, else on a screen without NO_COLOR.
bool stderr_has_color(ColorMode mode);

/// Returns whether the locale of this process's environment is one of UTF-8.
bool locale_is_utf8();

struct ScreenSize {
  size_t columns = 80, rows = 24;
};
/// Returns the size of the terminal on stderr; where it has none, what COLUMNS and LINES say, or 80 by 24.
ScreenSize stderr_size();

/// Returns how many columns a terminal needs for a text of UTF-8 without control characters; the colours that
/// in_color() adds need none.
size_t columns_of(std::string_view text);

/// Returns the beginning of `text` that has room in so many columns, with `mark` at its end where something is missing.
std::string cut_to_columns(std::string_view text, size_t columns, std::string_view mark);

enum class Color { kNone, kGood, kBad, kFaint };
std::string in_color(std::string_view text, Color color);

}  // namespace mlps
