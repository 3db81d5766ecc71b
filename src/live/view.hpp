#pragma once

#include <string>
#include <vector>

#include "live/state.hpp"

/// A state as text for people. Pure functions.
namespace mlps::live {

/// Says what a screen can show.
struct Screen {
  size_t columns = 80, rows = 24;
  bool utf8 = false;
  bool color = false;
};

/// Returns whether a screen has room for full_view(); else it gets one_line().
bool has_room(const Screen& screen);

/// Returns the whole state as at most ten lines, each with fewer columns than the screen: a terminal may wrap after its
/// last one.
std::vector<std::string> full_view(const State& state, const Screen& screen);

/// Returns what matters most on one line, with fewer columns than the screen; what has no room is left out, least
/// important first.
std::string one_line(const State& state, const Screen& screen);

/// Returns "3:12" or "1:03:12".
std::string clock_text(double seconds);

}  // namespace mlps::live
