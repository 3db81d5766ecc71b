#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.hpp"

/// Text of a report page. Every text of a record goes through escaped(): a record may have been written by anyone.
namespace mlps::reports::page {

inline constexpr size_t kLongestText = 600;

/// Returns `text` for content and attributes of HTML and XML: "<" and its like as references; what is no UTF-8, control
/// characters, and those that change the direction of writing as U+FFFD. Of a longer text than `most` bytes the rest is
/// left out, with "..." for it.
std::string escaped(std::string_view text, size_t most = kLongestText);
/// Returns the same for a terminal or a text file: characters stand for themselves.
std::string harmless(std::string_view text, size_t most = kLongestText);

struct Point {
  double x = 0, y = 0;
};

/// Builds one drawing. Coordinates may be any number: what lies far outside is drawn at its edge. Classes are those of
/// the style sheet of the page; texts are escaped here.
class Drawing {
 public:
  /// `label` says in words what is shown, for those who can't see it.
  Drawing(int width, int height, std::string_view label);
  void line(Point from, Point to, std::string_view style);
  void rectangle(Point corner, double width, double height, std::string_view style, std::string_view tip = {});
  void circle(Point middle, double radius, std::string_view style, std::string_view tip = {});
  /// `style` may hold "end" or "middle", for where the text stands to `at`.
  void text(Point at, std::string_view style, std::string_view text, size_t most = 60);
  /// A path of straight lines, filled if the style says so.
  void path(const std::vector<Point>& points, std::string_view style);
  /// A path in the language of SVG, made of numbers by the caller.
  void raw_path(std::string_view commands, std::string_view style);
  std::string finish() const { return text_ + "</svg>"; }

  static std::string coordinate(double value);

 private:
  std::string text_;
};

/// Maps values onto pixels, evenly or by logarithm. Both ends are finite and differ, whatever was asked for.
class Axis {
 public:
  Axis(double low, double high, double from, double to, bool logarithmic = false);
  double at(double value) const;  ///< values outside lie at the ends
  double low() const { return low_; }
  double high() const { return high_; }
  /// Returns about `wanted` round values between the ends; of a logarithmic axis powers of ten.
  std::vector<double> ticks(unsigned wanted) const;

 private:
  double low_, high_, from_, to_;
  bool logarithmic_;
};

}  // namespace mlps::reports::page
