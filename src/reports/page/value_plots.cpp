#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/page/plot_frame.hpp"
#include "reports/page/plots.hpp"

/// The drawings of latencies, of load, of recall, and of every rank.
namespace mlps::reports::page {
namespace {

// A scale on which each nine more (90 %, 99 %, 99.9 %) is as far: the slow operations are what matters.
double nines(double share, double top) {
  return share >= 1 ? top : std::min(top, -std::log10(1 - std::max(0.0, share)));
}

double most_nines(const std::vector<Latency>& latencies) {
  double count = 0;
  for (const Latency& one : latencies) count = std::max(count, one.count);
  return std::clamp(std::ceil(std::log10(std::max(1.0, count))), 2.0, 5.0);
}

void draw_curve(Drawing& drawing, const Latency& latency, const Axis& x, const Axis& y, std::string_view style) {
  std::vector<Point> points = {{x.at(latency.curve.front().first), y.at(0)}};
  for (const auto& [value, share] : latency.curve) {
    const Point next = {x.at(value), y.at(nines(share, y.high()))};
    const bool is_last = &value == &latency.curve.back().first;
    if (!is_last && next.x - points.back().x < 2 && points.back().y - next.y < 2) continue;
    points.push_back({next.x, points.back().y});
    points.push_back(next);
  }
  drawing.path(points, fmt::format("curve {}", style));
}

std::string latency_words(const Latency& one) {
  const auto text = [](const std::optional<double>& value) { return value ? time_text(*value) : std::string("-"); };
  return fmt::format("{}: {} operations, p50 {}, p99 {}, p99.9 {}, max {}", one.name, figure(one.count),
                     text(one.p50_ns), text(one.p99_ns), text(one.p999_ns), text(one.max_ns));
}

// Returns a power of ten of nanoseconds: "10 us".
std::string short_time(double value) {
  constexpr std::array<const char*, 4> kUnits = {"ns", "us", "ms", "s"};
  size_t unit = 0;
  while (unit + 1 < kUnits.size() && value >= 999) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{} {}", figure(value), kUnits[unit]);
}

void draw_latency_axes(Drawing& drawing, const Axis& x, const Axis& y) {
  constexpr std::array<std::pair<double, const char*>, 7> kTicks = {{{0, "0"},
                                                                     {0.5, "50 %"},
                                                                     {0.9, "90 %"},
                                                                     {0.99, "99 %"},
                                                                     {0.999, "99.9 %"},
                                                                     {0.9999, "99.99 %"},
                                                                     {0.99999, "99.999 %"}}};
  for (const auto& [share, text] : kTicks) {
    const double place = nines(share, 10);
    if (place > y.high() + 0.01) continue;
    drawing.line({kSmall.left, y.at(place)}, {kSmall.right, y.at(place)}, "grid");
    drawing.text({kSmall.left - 5, y.at(place) + 4}, "end", text);
  }
  for (const double tick : x.ticks(6)) {
    drawing.line({x.at(tick), kSmall.top}, {x.at(tick), kSmall.bottom + 4}, "grid");
    drawing.text({x.at(tick), kSmall.bottom + 18}, "middle", short_time(tick));
  }
}

constexpr size_t kMostMapRows = 48;
constexpr size_t kMostMapColumns = 40;
constexpr size_t kLevels = 10;

// A heat map with few enough cells: of ranks and epochs that share a cell, the slowest counts.
struct SmallMap {
  size_t rows = 0, columns = 0, row_group = 1, column_group = 1;
  std::vector<std::optional<double>> values;
};

SmallMap smaller(const HeatMap& map) {
  SmallMap small;
  small.row_group = (map.rows.size() + kMostMapRows - 1) / kMostMapRows;
  small.column_group = (map.columns.size() + kMostMapColumns - 1) / kMostMapColumns;
  small.rows = (map.rows.size() + small.row_group - 1) / small.row_group;
  small.columns = (map.columns.size() + small.column_group - 1) / small.column_group;
  small.values.resize(small.rows * small.columns);
  for (size_t i = 0; i < map.values.size(); ++i) {
    if (!map.values[i]) continue;
    const size_t row = i / map.columns.size() / small.row_group;
    const size_t column = i % map.columns.size() / small.column_group;
    auto& cell = small.values[row * small.columns + column];
    cell = std::min(cell.value_or(*map.values[i]), *map.values[i]);
  }
  return small;
}

struct Extremes {
  double worst = 0, best = 0;
  size_t worst_at = 0;
  bool known = false;
};

Extremes extremes_of(const HeatMap& map) {
  Extremes extremes;
  for (size_t i = 0; i < map.values.size(); ++i) {
    if (!map.values[i]) continue;
    const double value = *map.values[i];
    if (!extremes.known || value < extremes.worst) extremes.worst_at = i;
    extremes.worst = extremes.known ? std::min(extremes.worst, value) : value;
    extremes.best = extremes.known ? std::max(extremes.best, value) : value;
    extremes.known = true;
  }
  return extremes;
}

// Draws all cells of one level as one path.
void draw_cells(Drawing& drawing, const SmallMap& map, const Extremes& extremes, double width, double height) {
  // Differences of less than a tenth of the best would only show noise.
  const double span = std::max(extremes.best - extremes.worst, extremes.best / 10);
  std::array<std::string, kLevels + 1> paths;
  for (size_t row = 0; row < map.rows; ++row) {
    for (size_t column = 0; column < map.columns; ++column) {
      const auto& value = map.values[row * map.columns + column];
      const double slow = value && span > 0 && std::isfinite(span) ? (extremes.best - *value) / span : 0;
      const size_t level = value ? static_cast<size_t>(std::clamp(slow, 0.0, 0.999) * kLevels) : kLevels;
      paths[level] += fmt::format(
          "M{} {}h{}v{}h-{}z", Drawing::coordinate(kSmall.left + width * static_cast<double>(column)),
          Drawing::coordinate(kSmall.top + height * static_cast<double>(row)), Drawing::coordinate(width - 1),
          Drawing::coordinate(height - (height > 4 ? 1 : 0)), Drawing::coordinate(width - 1));
    }
  }
  for (size_t level = 0; level <= kLevels; ++level) {
    if (!paths[level].empty()) drawing.raw_path(paths[level], level < kLevels ? fmt::format("h{}", level) : "absent");
  }
}

void draw_names(Drawing& drawing, const HeatMap& map, const SmallMap& small, double width, double height) {
  const auto every = [](double step, double wanted) {
    return static_cast<size_t>(std::max(1.0, std::ceil(wanted / step)));
  };
  for (size_t row = 0; row < small.rows; row += every(height, 14)) {
    drawing.text({kSmall.left - 5, kSmall.top + height * (static_cast<double>(row) + 0.5) + 4}, "end",
                 map.rows[row * small.row_group], 10);
  }
  for (size_t column = 0; column < small.columns; column += every(width, 26)) {
    drawing.text({kSmall.left + width * (static_cast<double>(column) + 0.5), kSmall.bottom + 16}, "middle",
                 map.columns[column * small.column_group], 10);
  }
}

// What one of the two drawings of recall shows of a point, of which it may not be known.
struct RecallValue {
  std::string_view title, words;
  std::optional<double> (*of)(const RecallPoint& point);

  std::string text(const RecallPoint& point) const {
    return fmt::format("{}: recall {}, {} {}", point.label, percent(100 * point.recall), figure(of(point).value_or(0)),
                       words);
  }
};

std::pair<Axis, Axis> recall_axes(const RecallCurve& curve, const RecallValue& value) {
  double low = 1;
  double top = 0;
  for (const auto* points : {&curve.sweep, &curve.windows}) {
    for (const RecallPoint& point : *points) {
      low = std::min(low, point.recall);
      top = std::max(top, value.of(point).value_or(0));
    }
  }
  for (const double target : curve.targets) low = std::min(low, target);
  return {Axis(100 * std::max(0.0, low - 0.02), 100, kSmall.left, kSmall.right),
          Axis(0, top * 1.1, kSmall.bottom, kSmall.top)};
}

// Draws the efforts that a sweep tried as a line of small dots.
void draw_sweep(Drawing& drawing, std::vector<RecallPoint> sweep, const RecallValue& value, const Axis& x,
                const Axis& y) {
  std::sort(sweep.begin(), sweep.end(), [](const auto& a, const auto& b) { return a.recall < b.recall; });
  std::vector<Point> line;
  for (const RecallPoint& point : sweep) {
    if (!value.of(point)) continue;
    line.push_back({x.at(100 * point.recall), y.at(*value.of(point))});
    drawing.circle(line.back(), 2.5, "s1", value.text(point));
  }
  if (line.size() > 1) drawing.path(line, "curve s1");
}

std::string against_recall(const RecallCurve& curve, const RecallValue& value) {
  const auto [x, y] = recall_axes(curve, value);
  Drawing drawing(kSmall.width, kSmall.height, value.title);
  draw_left_axis(drawing, kSmall, y, figure);
  for (const double tick : x.ticks(6)) drawing.text({x.at(tick), kSmall.bottom + 15}, "middle", figure(tick));
  draw_bottom_line(drawing, kSmall);
  drawing.text({kSmall.right, kSmall.bottom + 30}, "end small", "recall, %");
  for (const double target : curve.targets) {
    drawing.line({x.at(100 * target), kSmall.top}, {x.at(100 * target), kSmall.bottom}, "demand");
  }
  draw_sweep(drawing, curve.sweep, value, x, y);
  std::vector<std::string> remarks;
  for (const RecallPoint& point : curve.windows) {
    if (!value.of(point)) continue;
    remarks.push_back(value.text(point));
    drawing.circle({x.at(100 * point.recall), y.at(*value.of(point))}, 5, "s2", remarks.back());
  }
  Legend legend = {{"s2", "measured, all workers"}};
  if (!curve.sweep.empty()) legend.emplace_back("s1", "efforts that the sweep tried, one worker");
  if (!curve.targets.empty()) legend.emplace_back("s5", "recall wanted");
  return figure_section(value.title, drawing.finish(), legend, remarks);
}

}  // namespace

std::string latency_plot(const Known<std::vector<Latency>>& latencies, std::string_view title) {
  if (!latencies) return empty_section(title, latencies.error());
  double low = latencies->front().curve.front().first;
  double high = 0;
  for (const Latency& one : *latencies) {
    low = std::min(low, one.curve.front().first);
    high = std::max(high, one.curve.back().first);
  }
  const Axis x(std::max(1.0, low * 0.9), high * 1.1, kSmall.left, kSmall.right, true);
  const Axis y(0, most_nines(*latencies), kSmall.bottom, kSmall.top);
  Drawing drawing(kSmall.width, kSmall.height, title);
  draw_latency_axes(drawing, x, y);
  draw_bottom_line(drawing, kSmall);
  Legend legend;
  std::vector<std::string> remarks;
  for (size_t i = 0; i < std::min<size_t>(6, latencies->size()); ++i) {
    const Latency& one = (*latencies)[i];
    const std::string style = fmt::format("s{}", one.series > 0 ? one.series : i + 1);
    draw_curve(drawing, one, x, y, style);
    for (const auto& [value, share] :
         {std::pair{one.p50_ns, 0.5}, std::pair{one.p99_ns, 0.99}, std::pair{one.p999_ns, 0.999}}) {
      if (value) drawing.circle({x.at(*value), y.at(nines(share, y.high()))}, 3, style, time_text(*value));
    }
    legend.emplace_back(style, one.name);
    remarks.push_back(latency_words(one));
  }
  return figure_section(title, drawing.finish(), legend, remarks);
}

std::string heat_plot(const Known<HeatMap>& map) {
  constexpr std::string_view kTitle = "Every rank";
  if (!map) return empty_section(kTitle, map.error());
  const Extremes extremes = extremes_of(*map);
  if (!extremes.known) return empty_section(map->title, "the record has no value of any rank");
  const SmallMap small = smaller(*map);
  const double width = std::min(60.0, (kSmall.right - kSmall.left) / static_cast<double>(small.columns));
  const double height = (kSmall.bottom - kSmall.top) / static_cast<double>(small.rows);
  Drawing drawing(kSmall.width, kSmall.height, map->title);
  draw_cells(drawing, small, extremes, width, height);
  draw_names(drawing, *map, small, width, height);
  const Legend legend = {{"h0", fmt::format("best: {}", value_text(extremes.best, map->unit))},
                         {"h9", fmt::format("worst: {}", value_text(extremes.worst, map->unit))}};
  std::vector<std::string> remarks = {fmt::format("the worst is rank {}, {}",
                                                  map->rows[extremes.worst_at / map->columns.size()],
                                                  map->columns[extremes.worst_at % map->columns.size()])};
  if (small.row_group > 1 || small.column_group > 1) {
    remarks.push_back(
        fmt::format("each cell is the worst of {} ranks and {} columns", small.row_group, small.column_group));
  }
  return figure_section(map->title, drawing.finish(), legend, remarks);
}

std::string load_plot(const Known<std::vector<LoadPoint>>& load) {
  constexpr std::string_view kTitle = "Requests in time against requests offered";
  if (!load) return empty_section(kTitle, load.error());
  double most_x = 0;
  double most_y = 0;
  bool knows_good = true;
  for (const LoadPoint& point : *load) {
    most_x = std::max(most_x, point.offered);
    most_y = std::max({most_y, point.completed, point.good.value_or(0)});
    knows_good = knows_good && point.good;
  }
  const Axis x(0, most_x * 1.08, kSmall.left, kSmall.right);
  const Axis y(0, most_y * 1.15, kSmall.bottom, kSmall.top);
  Drawing drawing(kSmall.width, kSmall.height, kTitle);
  draw_left_axis(drawing, kSmall, y, figure);
  for (const double tick : x.ticks(6)) drawing.text({x.at(tick), kSmall.bottom + 15}, "middle", figure(tick));
  draw_bottom_line(drawing, kSmall);
  drawing.text({kSmall.right, kSmall.bottom + 30}, "end small", "offered, requests per second");
  const double all = std::min(x.high(), y.high());
  drawing.line({x.at(0), y.at(0)}, {x.at(all), y.at(all)}, "demand");
  std::vector<Point> labels;
  for (const LoadPoint& point : *load) {
    const std::string style = fmt::format("s{}", (point.series + 7) % 8 + 1);
    const std::string words =
        fmt::format("option {}: offered {}/s, completed {}/s, in time {}", point.label, figure(point.offered),
                    figure(point.completed), point.good ? figure(*point.good) + "/s" : "not known");
    drawing.circle({x.at(point.offered), y.at(point.completed)}, 5, "ring " + style, words);
    if (point.good) drawing.circle({x.at(point.offered), y.at(*point.good)}, 4, style, words);
    const Point place = {x.at(point.offered) + 8, y.at(point.good.value_or(point.completed)) - 5};
    const bool is_free = std::none_of(labels.begin(), labels.end(), [&](const Point& other) {
      return std::abs(other.x - place.x) < 24 && std::abs(other.y - place.y) < 12;
    });
    if (!is_free) continue;
    drawing.text(place, "small", point.label, 10);
    labels.push_back(place);
  }
  std::vector<std::string> remarks = {"rings: completed; dots: completed within their target; numbers: option.trial"};
  if (!knows_good) remarks.emplace_back("which requests were in time is not known: the run had no target");
  return figure_section(kTitle, drawing.finish(), {{"s5", "all that was offered"}}, remarks);
}

std::string recall_plot(const Known<RecallCurve>& curve) {
  constexpr RecallValue kQueries = {"Queries per second against recall", "queries/s",
                                    [](const RecallPoint& point) { return std::optional(point.queries_per_s); }};
  constexpr RecallValue kReads = {"Reads of a query against recall", "reads of a query",
                                  [](const RecallPoint& point) { return point.reads; }};
  if (!curve) return empty_section(kQueries.title, curve.error());
  const auto knows_reads = [](const RecallPoint& point) { return point.reads.has_value(); };
  const bool told = std::any_of(curve->sweep.begin(), curve->sweep.end(), knows_reads) ||
                    std::any_of(curve->windows.begin(), curve->windows.end(), knows_reads);
  return against_recall(*curve, kQueries) +
         (told ? against_recall(*curve, kReads)
               : empty_section(kReads.title, "a server doesn't tell what a query reads"));
}

}  // namespace mlps::reports::page
