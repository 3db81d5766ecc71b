#include "reports/page/plot_frame.hpp"

#include <fmt/format.h>

namespace mlps::reports::page {
namespace {

void draw_tick(Drawing& drawing, const Frame& frame, double y, const std::string& text) {
  drawing.line({frame.left, y}, {frame.right, y}, "grid");
  drawing.text({frame.left - 6, y + 4}, "end", text);
}

}  // namespace

std::string figure_section(std::string_view title, const std::string& drawing, const Legend& legend,
                           const std::vector<std::string>& remarks, bool wide) {
  std::string text = fmt::format("<section class=\"plot{}\"><h3>{}</h3>", wide ? " wide" : "", escaped(title));
  text += fmt::format("<div class=\"scroll\">{}</div>", drawing);
  if (!legend.empty()) {
    text += "<p class=\"legend\">";
    for (const auto& [style, words] : legend) {
      text += fmt::format("<span><i class=\"{}\"></i>{}</span> ", style, escaped(words, 80));
    }
    text += "</p>";
  }
  for (const std::string& remark : remarks) text += fmt::format("<p class=\"remark\">{}</p>", escaped(remark, 300));
  return text + "</section>\n";
}

std::string empty_section(std::string_view title, std::string_view why, bool wide) {
  return fmt::format("<section class=\"plot{}\"><h3>{}</h3><p class=\"none\">Not known: {}.</p></section>\n",
                     wide ? " wide" : "", escaped(title), escaped(why));
}

void draw_left_axis(Drawing& drawing, const Frame& frame, const Axis& axis, TickText text) {
  for (const double tick : axis.ticks(5)) draw_tick(drawing, frame, axis.at(tick), text(tick));
}

void draw_rate_axis(Drawing& drawing, const Frame& frame, const Axis& axis) {
  double unit = 1;
  while (unit < 1e15 && axis.high() >= unit * 1024) unit *= 1024;
  const Axis scaled(axis.low() / unit, axis.high() / unit, 0, 1);
  for (const double tick : scaled.ticks(5)) {
    draw_tick(drawing, frame, axis.at(tick * unit), tick == 0 ? "0" : rate_text(tick * unit));
  }
}

void draw_bottom_line(Drawing& drawing, const Frame& frame) {
  drawing.line({frame.left, frame.bottom}, {frame.right, frame.bottom}, "base");
}

std::string value_text(double value, std::string_view unit) {
  return unit == "%" ? percent(value) : unit == "1/s" ? figure(value) + "/s" : rate_text(value);
}

}  // namespace mlps::reports::page
