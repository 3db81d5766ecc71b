#include "base/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/text.hpp"

namespace mlps {
namespace {

constexpr size_t kMostColumns = 10'000;
constexpr std::string_view kReset = "\033[0m";

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

size_t number_in(const char* name, size_t otherwise) {
  const size_t value = parse_number<uint64_t>(variable(name)).value_or(0);
  return value == 0 || value > kMostColumns ? otherwise : value;
}

// Characters that take two columns, as ranges of code points.
constexpr auto kWide = std::to_array<std::pair<uint32_t, uint32_t>>({{0x1100, 0x115f},
                                                                     {0x2e80, 0xa4cf},
                                                                     {0xac00, 0xd7a3},
                                                                     {0xf900, 0xfaff},
                                                                     {0xfe30, 0xfe6f},
                                                                     {0xff00, 0xff60},
                                                                     {0xffe0, 0xffe6},
                                                                     {0x1f300, 0x1f64f},
                                                                     {0x1f900, 0x1f9ff},
                                                                     {0x20000, 0x3fffd}});

struct Character {
  size_t bytes = 1;
  size_t columns = 1;
};

/// Returns the size of the first character, or colour, of a text that is not empty.
Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) == 0x1b) return {std::min(text.find('m'), text.size() - 1) + 1, 0};
  if (byte(0) < 0xc0) return {1, byte(0) < 0x80 ? 1U : 0U};
  const size_t bytes = std::min<size_t>(byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2, text.size());
  uint32_t code = byte(0) & (0xffU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (byte(i) & 0x3fU);
  const bool wide = std::any_of(kWide.begin(), kWide.end(),
                                [&](const auto& range) { return code >= range.first && code <= range.second; });
  return {bytes, wide ? 2U : 1U};
}

}  // namespace

bool stderr_is_screen() {
  return isatty(STDERR_FILENO) == 1 && variable("TERM") != "dumb";
}

bool stderr_has_color(ColorMode mode) {
  if (mode != ColorMode::kAuto) return mode == ColorMode::kAlways;
  return variable("NO_COLOR").empty() && stderr_is_screen();
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = lower(variable(name));
    if (!value.empty()) return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

ScreenSize stderr_size() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
  return {known && size.ws_col > 0 ? size.ws_col : number_in("COLUMNS", 80),
          known && size.ws_row > 0 ? size.ws_row : number_in("LINES", 24)};
}

size_t columns_of(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const Character first = first_character(text);
    columns += first.columns;
    text.remove_prefix(first.bytes);
  }
  return columns;
}

std::string cut_to_columns(std::string_view text, size_t columns, std::string_view mark) {
  if (columns_of(text) <= columns) return std::string(text);
  const size_t room = columns - std::min(columns, columns_of(mark));
  size_t taken = 0, bytes = 0;
  bool colored = false;
  while (bytes < text.size()) {
    const Character next = first_character(text.substr(bytes));
    if (taken + next.columns > room) break;
    if (next.columns == 0 && text[bytes] == '\033') colored = text.substr(bytes, next.bytes) != kReset;
    taken += next.columns;
    bytes += next.bytes;
  }
  std::string cut(text.substr(0, bytes));
  if (colored) cut += kReset;
  return columns_of(mark) <= columns ? cut.append(mark) : cut;
}

std::string in_color(std::string_view text, Color color) {
  constexpr std::array<std::string_view, 4> kCodes = {"", "\033[32m", "\033[1;31m", "\033[2m"};
  if (color == Color::kNone) return std::string(text);
  return std::string(kCodes[static_cast<size_t>(color)]).append(text).append(kReset);
}

}  // namespace mlps
