#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/page/markup.hpp"

/// What the drawings of a report have in common.
namespace mlps::reports::page {

/// The size of a drawing and the place in it that is left for values.
struct Frame {
  int width, height;
  double left, top, right, bottom;  ///< edges of the place
};

inline constexpr Frame kWide = {860, 250, 74, 34, 846, 216};
inline constexpr Frame kSmall = {420, 224, 66, 14, 410, 192};

/// Colours of series have the names "s1" to "s8" in the style sheet.
using Legend = std::vector<std::pair<std::string, std::string>>;  ///< style, text

/// Returns a section with a heading, and with what is in it.
std::string figure_section(std::string_view title, const std::string& drawing, const Legend& legend,
                           const std::vector<std::string>& remarks, bool wide = false);
/// Returns a section that says why there is no drawing.
std::string empty_section(std::string_view title, std::string_view why, bool wide = false);

/// Draws the lines of a grid with their values, left of the place and below it.
using TickText = std::string (*)(double value);
void draw_left_axis(Drawing& drawing, const Frame& frame, const Axis& axis, TickText text);
/// The same of bytes per second, at round numbers of the unit that they are told in.
void draw_rate_axis(Drawing& drawing, const Frame& frame, const Axis& axis);
void draw_bottom_line(Drawing& drawing, const Frame& frame);

/// Returns a value of bars or cells by its unit: "%", "1/s", or "B/s".
std::string value_text(double value, std::string_view unit);

}  // namespace mlps::reports::page
