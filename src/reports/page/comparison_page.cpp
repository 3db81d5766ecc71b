#include "reports/page/comparison_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "reports/page/page.hpp"
#include "reports/page/page_frame.hpp"
#include "reports/page/plot_frame.hpp"
#include "reports/page/plots.hpp"

namespace mlps::reports::page {
namespace {

constexpr double kRowHeight = 26;
constexpr double kNames = 200;  // pixels for the names of figures
constexpr size_t kMostDots = 400;
constexpr size_t kMostDrawings = 12;
constexpr size_t kMostRuns = 20;
constexpr double kMostRatio = 100;

double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

std::optional<double> ratio_of(const ComparedFigure& figure) {
  if (figure.first.empty() || figure.second.empty() || !(median(figure.first) > 0)) return std::nullopt;
  const double ratio = median(figure.second) / median(figure.first);
  return std::isfinite(ratio) ? std::optional(ratio) : std::nullopt;
}

// Returns "+4.1 %" of 1.041.
std::string change_of(double ratio) {
  return fmt::format("{}{}", ratio >= 1 ? "+" : "-", percent(std::abs(100 * (ratio - 1))));
}

// Returns the colour of a figure's row: better, worse, or not to be told apart.
std::string_view style_of(const ComparedFigure& figure) {
  if (!figure.test || !figure.test->differs()) return "s6";
  return (figure.test->superiority > 0.5) == figure.more_is_better ? "s2" : "s5";
}

Axis ratio_axis(const std::vector<ComparedFigure>& figures, double left, double right) {
  double low = 0.95, high = 1.05;
  const auto include = [&](double ratio) {
    low = std::min(low, std::max(ratio, 1 / kMostRatio));
    high = std::max(high, std::min(ratio, kMostRatio));
  };
  for (const ComparedFigure& figure : figures) {
    if (const auto ratio = ratio_of(figure)) include(*ratio);
    if (figure.ratio) include(figure.ratio->low);
    if (figure.ratio) include(figure.ratio->high);
  }
  return {100 * (low - 1) - 1, 100 * (high - 1) + 1, left, right};
}

// A row for each figure: where B lies to A, and the interval that holds it with 95 %.
std::string ratio_plot(const std::vector<ComparedFigure>& figures) {
  constexpr std::string_view kTitle = "B to A: change of the median, with the interval that holds it with 95 %";
  const bool known = std::any_of(figures.begin(), figures.end(), [](const auto& one) { return ratio_of(one); });
  if (!known) return empty_section(kTitle, "no figure has values above 0 on both sides", true);
  Frame frame = kWide;
  frame.left = kNames;
  frame.top = 14;
  frame.bottom = frame.top + kRowHeight * static_cast<double>(figures.size());
  frame.height = static_cast<int>(frame.bottom) + 26;
  const Axis x = ratio_axis(figures, frame.left, frame.right);
  Drawing drawing(frame.width, frame.height, kTitle);
  for (const double tick : x.ticks(8)) {
    drawing.line({x.at(tick), frame.top}, {x.at(tick), frame.bottom}, std::abs(tick) < 1e-9 ? "base" : "grid");
    drawing.text({x.at(tick), frame.bottom + 16}, "middle", fmt::format("{}{} %", tick > 0 ? "+" : "", figure(tick)));
  }
  double y = frame.top + kRowHeight / 2;
  for (const ComparedFigure& one : figures) {
    drawing.text({frame.left - 8, y + 4}, "end", one.name, 34);
    if (one.ratio) {
      const double from = x.at(100 * (one.ratio->low - 1)), to = x.at(100 * (one.ratio->high - 1));
      drawing.rectangle({from, y - 3}, std::max(1.0, to - from), 6, style_of(one),
                        fmt::format("{} to {}", change_of(one.ratio->low), change_of(one.ratio->high)));
    }
    if (const auto ratio = ratio_of(one))
      drawing.circle({x.at(100 * (*ratio - 1)), y}, 5, style_of(one), change_of(*ratio));
    y += kRowHeight;
  }
  std::vector<std::string> remarks;
  for (const ComparedFigure& one : figures) {
    if (!one.ratio) remarks.push_back(one.name + ": no interval: that takes three values above 0 on each side");
  }
  return figure_section(kTitle, drawing.finish(), {{"s2", "B is better"}, {"s5", "B is worse"}, {"s6", "can't tell"}},
                        remarks, true);
}

void draw_values(Drawing& drawing, const std::vector<double>& values, const Axis& x, const Axis& y,
                 std::string_view style, const ComparedFigure& figure_of_values) {
  if (values.empty()) return;
  const size_t group = (values.size() + kMostDots - 1) / kMostDots;
  std::vector<Point> line;
  for (size_t i = 0; i < values.size(); i += group) {
    line.push_back({x.at(static_cast<double>(i + 1)), y.at(values[i])});
    drawing.circle(line.back(), 3, style,
                   fmt::format("{} {}: {}", figure_of_values.value_of, i + 1, figure(values[i])));
  }
  drawing.path(line, fmt::format("curve {}", style));
  const double middle = y.at(median(values));
  drawing.line({kSmall.left, middle}, {kSmall.right, middle}, fmt::format("curve above {}", style));
}

// Every value of both sides, in the order in which they were made.
std::string values_plot(const ComparedFigure& one) {
  const std::string title = fmt::format("{}, each {}", one.name, one.value_of);
  double low = 0, high = 0;
  for (const auto* values : {&one.first, &one.second}) {
    for (const double value : *values) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  const size_t count = std::max(one.first.size(), one.second.size());
  const Axis x(0.5, static_cast<double>(count) + 0.5, kSmall.left, kSmall.right);
  const Axis y(low, high * 1.1, kSmall.bottom, kSmall.top);
  Drawing drawing(kSmall.width, kSmall.height, title);
  draw_left_axis(drawing, kSmall, y, figure);
  draw_bottom_line(drawing, kSmall);
  double last = 0;
  for (const double tick : x.ticks(8)) {
    if (std::round(tick) < 1 || std::round(tick) == last) continue;
    last = std::round(tick);
    drawing.text({x.at(last), kSmall.bottom + 16}, "middle", figure(last));
  }
  draw_values(drawing, one.first, x, y, "s1", one);
  draw_values(drawing, one.second, x, y, "s4", one);
  const auto side = [&](char letter, const std::vector<double>& values) {
    if (values.empty()) return fmt::format("{}: no value", letter);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    return fmt::format("{}: median {} (dotted), {} to {}, {}", letter, figure(median(values)), figure(*least),
                       figure(*most), counted(static_cast<double>(values.size()), "value", "values"));
  };
  return figure_section(title, drawing.finish(), {{"s1", "A"}, {"s4", "B"}},
                        {side('A', one.first), side('B', one.second)});
}

Known<Latency> side_of(char letter, const LatencyCounts& counts) {
  Latency latency;
  latency.name = letter;
  latency.series = letter == 'A' ? 1 : 4;
  for (const auto& [bound, count] : counts) latency.count += count;
  if (!(latency.count > 0) || !std::isfinite(latency.count)) return unknown(fmt::format("{} has no operation", letter));
  double seen = 0;
  for (const auto& [bound, count] : counts) {
    seen += count;
    latency.curve.emplace_back(bound, seen / latency.count);
  }
  latency.p50_ns = ComparedLatency::percentile(counts, 0.5);
  latency.p99_ns = ComparedLatency::percentile(counts, 0.99);
  latency.p999_ns = ComparedLatency::percentile(counts, 0.999);
  latency.max_ns = counts.rbegin()->first;
  return latency;
}

std::string latencies_plot(const ComparedLatency& one) {
  Known<std::vector<Latency>> sides = std::vector<Latency>();
  for (auto side : {side_of('A', one.first), side_of('B', one.second)}) {
    if (!side) return empty_section(one.name, side.error());
    sides->push_back(std::move(*side));
  }
  return latency_plot(sides,
                      fmt::format("{}: share that took so long at most (distance {:.3f})", one.name, one.distance()));
}

std::string headline_table(const Comparison& comparison) {
  Table table{"Medians", {"figure", "A", "B", "B to A", "95 % interval", "what it says"}, {}, {}};
  for (const ComparedFigure& one : comparison.figures) {
    const auto side = [](const std::vector<double>& values) { return values.empty() ? "-" : figure(median(values)); };
    const auto ratio = ratio_of(one);
    table.rows.push_back(
        {one.name, side(one.first), side(one.second), ratio ? change_of(*ratio) : "-",
         one.ratio ? fmt::format("{} to {}", change_of(one.ratio->low), change_of(one.ratio->high)) : "-",
         one.statement()});
  }
  return "<div class=\"hosts\">" + table_of(table) + "</div>\n";
}

std::string runs_table(const Comparison& comparison) {
  Table table{"Runs", {"side", "folder"}, {}, {}};
  for (const auto& [runs, letter] : {std::pair{&comparison.first_runs, "A"}, {&comparison.second_runs, "B"}}) {
    for (size_t i = 0; i < std::min(runs->size(), kMostRuns); ++i) table.rows.push_back({letter, (*runs)[i]});
    if (runs->size() > kMostRuns) table.rows.push_back({letter, fmt::format("and {} more", runs->size() - kMostRuns)});
  }
  return table_of(table);
}

std::string differences_table(const Comparison& comparison) {
  Table table{"What differs", {"", "key", "A", "B"}, {}, {}};
  for (const Difference& one : comparison.differences) {
    table.rows.push_back({one.kind, one.key, join(one.first, " | "), join(one.second, " | ")});
  }
  if (table.rows.empty()) table.rest = "nothing that the metadata tell";
  return "<div class=\"hosts differing\">" + table_of(table) + "</div>\n";
}

}  // namespace

std::string page_of(const Comparison& comparison) {
  const std::string title = fmt::format("Comparison of {} {}", comparison.benchmark, comparison.model);
  Page page(title);
  page.mark(fmt::format("<header><h1>{}</h1><p class=\"sub\">A: {}; B: {}</p></header>\n", escaped(title, 200),
                        counted(static_cast<double>(comparison.first_runs.size()), "run", "runs"),
                        counted(static_cast<double>(comparison.second_runs.size()), "run", "runs")));
  page.add("medians", headline_table(comparison));
  page.mark("<main class=\"plots\">\n");
  page.add("changes", ratio_plot(comparison.figures));
  for (size_t i = 0; i < std::min(comparison.figures.size(), kMostDrawings); ++i) {
    page.add(comparison.figures[i].name, values_plot(comparison.figures[i]));
  }
  for (size_t i = 0; i < std::min(comparison.latencies.size(), kMostDrawings); ++i) {
    page.add(comparison.latencies[i].name, latencies_plot(comparison.latencies[i]));
  }
  page.mark("</main>\n");
  std::string notes;
  for (const std::string& note : comparison.notes) notes += fmt::format("<li>{}</li>", escaped(note, 400));
  if (!notes.empty()) page.add("notes", "<section class=\"note\"><h3>Notes</h3><ul>" + notes + "</ul></section>\n");
  page.add("what differs", differences_table(comparison));
  page.add("runs", runs_table(comparison));
  return page.finish("the results of the runs");
}

}  // namespace mlps::reports::page
