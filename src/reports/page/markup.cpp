#include "reports/page/markup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace mlps::reports::page {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr uint32_t kNoCharacter = 0xFFFFFFFF;

struct Decoded {
  uint32_t character = kNoCharacter;
  size_t length = 1;
};

// Returns the first character of `text`, which is not empty, or kNoCharacter for a byte that begins none.
Decoded first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xF0 && lead < 0xF5   ? 4
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                                                      : 0;
  if (length == 0 || text.size() < length) return {};
  uint32_t character = lead & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return {};
    character = character << 6 | (next & 0x3FU);
  }
  constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (character < kSmallest[length] || character > 0x10FFFF) return {};
  return {character, length};
}

// Returns whether a character may stand on the page: not those that XML forbids, that control a device, or that change
// the direction of writing, by which one text could pass for another.
bool is_harmless(uint32_t character) {
  if (character < 0x20 || (character >= 0x7F && character < 0xA0)) return false;
  if (character >= 0xD800 && character <= 0xDFFF) return false;
  if ((character & 0xFFFE) == 0xFFFE || (character >= 0xFDD0 && character <= 0xFDEF)) return false;
  if (character == 0x200E || character == 0x200F || character == 0x061C || character == 0xFEFF) return false;
  return !(character >= 0x202A && character <= 0x202E) && !(character >= 0x2066 && character <= 0x2069);
}

void append_harmless(const Decoded& one, std::string_view text, std::string& out) {
  const bool is_space = one.character == '\t' || one.character == '\n' || one.character == '\r';
  out += is_space ? " " : is_harmless(one.character) ? text.substr(0, one.length) : kReplacement;
}

void append_reference(const Decoded& one, std::string_view text, std::string& out) {
  switch (one.character) {
    case '&':
      out += "&amp;";
      return;
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '"':
      out += "&quot;";
      return;
    case '\'':
      out += "&#39;";
      return;
    default:
      append_harmless(one, text, out);
  }
}

std::string by_characters(std::string_view text, size_t most,
                          void (*append)(const Decoded& one, std::string_view text, std::string& out)) {
  std::string out;
  size_t used = 0;
  while (used < text.size()) {
    if (used >= most) return out + "...";
    const std::string_view rest = text.substr(used);
    const Decoded one = first_character(rest);
    append(one, rest, out);
    used += one.length;
  }
  return out;
}

std::string tip_text(std::string_view tip) {
  return tip.empty() ? "/>" : fmt::format("><title>{}</title>", escaped(tip, 200));
}

}  // namespace

std::string escaped(std::string_view text, size_t most) {
  return by_characters(text, most, append_reference);
}

std::string harmless(std::string_view text, size_t most) {
  return by_characters(text, most, append_harmless);
}

std::string Drawing::coordinate(double value) {
  if (!std::isfinite(value)) return "0";
  std::string text = fmt::format("{:.1f}", std::clamp(value, -100.0, 5000.0));
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

Drawing::Drawing(int width, int height, std::string_view label)
    : text_(fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", width, height, escaped(label))) {}

void Drawing::line(Point from, Point to, std::string_view style) {
  text_ += fmt::format("<path class=\"{}\" d=\"M{} {}L{} {}\"/>", style, coordinate(from.x), coordinate(from.y),
                       coordinate(to.x), coordinate(to.y));
}

void Drawing::rectangle(Point corner, double width, double height, std::string_view style, std::string_view tip) {
  text_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}", style, coordinate(corner.x),
                       coordinate(corner.y), coordinate(std::max(0.0, width)), coordinate(std::max(0.0, height)),
                       tip_text(tip));
  if (!tip.empty()) text_ += "</rect>";
}

void Drawing::circle(Point middle, double radius, std::string_view style, std::string_view tip) {
  text_ += fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"{}", style, coordinate(middle.x),
                       coordinate(middle.y), coordinate(radius), tip_text(tip));
  if (!tip.empty()) text_ += "</circle>";
}

void Drawing::text(Point at, std::string_view style, std::string_view text, size_t most) {
  text_ += fmt::format("<text{} x=\"{}\" y=\"{}\">{}</text>", style.empty() ? "" : fmt::format(" class=\"{}\"", style),
                       coordinate(at.x), coordinate(at.y), escaped(text, most));
}

void Drawing::path(const std::vector<Point>& points, std::string_view style) {
  if (points.empty()) return;
  std::string commands;
  for (const Point& point : points) {
    commands += fmt::format("{}{} {}", commands.empty() ? "M" : "L", coordinate(point.x), coordinate(point.y));
  }
  raw_path(commands, style);
}

void Drawing::raw_path(std::string_view commands, std::string_view style) {
  text_ += fmt::format("<path class=\"{}\" d=\"{}\"/>", style, commands);
}

Axis::Axis(double low, double high, double from, double to, bool logarithmic)
    : low_(low), high_(high), from_(from), to_(to), logarithmic_(logarithmic) {
  constexpr double kMost = 1e300;
  if (!std::isfinite(low_)) low_ = 0;
  if (!std::isfinite(high_)) high_ = kMost;
  low_ = std::clamp(low_, logarithmic ? 1e-9 : -kMost, kMost);
  high_ = std::min(high_, kMost);
  if (high_ > low_) return;
  low_ = std::min(low_, kMost / 10);
  high_ = logarithmic ? low_ * 10 : low_ + std::max(1.0, std::abs(low_));
}

double Axis::at(double value) const {
  value = std::isfinite(value) ? std::clamp(value, low_, high_) : low_;
  // Halves first: the difference of two finite numbers may be none.
  const double share = logarithmic_ ? (std::log10(value) - std::log10(low_)) / (std::log10(high_) - std::log10(low_))
                                    : (value / 2 - low_ / 2) / (high_ / 2 - low_ / 2);
  return from_ + share * (to_ - from_);
}

std::vector<double> Axis::ticks(unsigned wanted) const {
  std::vector<double> ticks;
  if (logarithmic_) {
    const double first = std::ceil(std::log10(low_) - 1e-9);
    const double last = std::floor(std::log10(high_) + 1e-9);
    const double step = std::max(1.0, std::ceil((last - first + 1) / wanted));
    for (double power = first; power <= last; power += step) ticks.push_back(std::pow(10, power));
    return ticks;
  }
  const double rough = (high_ / 2 - low_ / 2) * 2 / std::max(1U, wanted);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double factor = rough / power;
  const double step = power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
  if (!std::isfinite(step) || step <= 0) return ticks;
  for (double tick = std::ceil(low_ / step) * step; tick <= high_ * (1 + 1e-9) && ticks.size() < 50; tick += step) {
    ticks.push_back(tick);
  }
  return ticks;
}

}  // namespace mlps::reports::page
