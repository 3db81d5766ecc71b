#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/page/plot_frame.hpp"
#include "reports/page/plots.hpp"

namespace mlps::reports::page {
namespace {

constexpr size_t kMostSegments = 390;  // two pixels each
constexpr size_t kMostBands = 120;
constexpr size_t kMostMarks = 100;
constexpr double kNarrowestLabel = 7;  // pixels of a character

// Returns the segments with several that follow one another as their mean, where there are too many to be seen.
std::vector<Segment> thinned(const std::vector<Segment>& segments, size_t group) {
  std::vector<Segment> thin;
  for (size_t begin = 0; begin < segments.size(); begin += group) {
    const size_t end = std::min(segments.size(), begin + group);
    Segment mean = segments[begin];
    double bytes = 0;
    double seconds = 0;
    for (size_t i = begin; i < end; ++i) {
      const double length = segments[i].when.to_s - segments[i].when.from_s;
      bytes += segments[i].bytes_per_s * length;
      seconds += length;
    }
    mean.when.to_s = segments[end - 1].when.to_s;
    if (seconds > 0) mean.bytes_per_s = bytes / seconds;
    thin.push_back(mean);
  }
  return thin;
}

// Draws the areas below the segments of one direction; those that touch share a path.
void draw_areas(Drawing& drawing, const std::vector<Segment>& segments, bool writes, const Axis& x, const Axis& y,
                std::string_view style) {
  std::vector<Point> points;
  const double base = y.at(0);
  double end = 0;
  const auto close = [&] {
    if (!points.empty()) points.push_back({points.back().x, base});
    drawing.path(points, style);
    points.clear();
  };
  for (const Segment& segment : segments) {
    if (segment.writes != writes) continue;
    const double from = x.at(segment.when.from_s);
    const double to = std::max(x.at(segment.when.to_s), from + 0.7);  // what is short is still seen
    if (points.empty() || from - end > 0.2) {
      close();
      points.push_back({from, base});
    }
    points.push_back({from, y.at(segment.bytes_per_s)});
    points.push_back({to, y.at(segment.bytes_per_s)});
    end = to;
  }
  close();
}

void draw_bands(Drawing& drawing, const std::vector<Band>& bands, const Axis& x, const Frame& frame,
                std::string_view style, bool labelled) {
  double free_from = 0;
  for (size_t i = 0; i < std::min(bands.size(), kMostBands); ++i) {
    const double from = x.at(bands[i].when.from_s);
    const double to = x.at(bands[i].when.to_s);
    drawing.rectangle({from, frame.top - (labelled ? 16 : 0)}, std::max(1.0, to - from - (labelled ? 1 : 0)),
                      frame.bottom - frame.top + (labelled ? 16 : 0), style, labelled ? "" : bands[i].label);
    if (!labelled) continue;
    // The whole label where it fits, else the number alone, else nothing.
    std::string label = bands[i].label;
    if (kNarrowestLabel * static_cast<double>(label.size()) > to - from) label = label.substr(label.rfind(' ') + 1);
    if (from < free_from || kNarrowestLabel * static_cast<double>(label.size()) > std::max(to - from, 24.0)) continue;
    drawing.text({from + 3, frame.top - 4}, "small", label);
    free_from = from + kNarrowestLabel * static_cast<double>(label.size()) + 3;
  }
}

struct TimeUnit {
  double seconds;
  std::string_view name;
};

void draw_time_axis(Drawing& drawing, const Frame& frame, double end_s) {
  const TimeUnit unit = end_s > 3 * 3600 ? TimeUnit{3600, "h"} : end_s > 300 ? TimeUnit{60, "min"} : TimeUnit{1, "s"};
  const Axis axis(0, end_s / unit.seconds, frame.left, frame.right);
  for (const double tick : axis.ticks(8)) {
    drawing.line({axis.at(tick), frame.bottom}, {axis.at(tick), frame.bottom + 4}, "base");
    drawing.text({axis.at(tick), frame.bottom + 18}, "middle", figure(tick));
  }
  drawing.text({frame.right, frame.bottom + 31}, "end small", fmt::format("{} after the start of the run", unit.name));
}

// Draws what was wanted: as a line where it lies on the scale, else as words at the upper edge.
void draw_demand(Drawing& drawing, const std::vector<Band>& demand, const Axis& x, const Axis& y, const Frame& frame) {
  double written_at = -1;
  for (size_t i = 0; i < std::min(demand.size(), kMostBands); ++i) {
    const Band& band = demand[i];
    const bool above = band.bytes_per_s > y.high();
    const double height = above ? frame.top : y.at(band.bytes_per_s);
    drawing.line({x.at(band.when.from_s), height}, {x.at(band.when.to_s), height}, above ? "demand above" : "demand");
    const std::string words = fmt::format("{} {}{}", band.label, rate_text(band.bytes_per_s), above ? ", above" : "");
    if (x.at(band.when.from_s) < written_at) continue;
    const double at = std::min(x.at(band.when.from_s) + 4, frame.right - 7.2 * static_cast<double>(words.size()));
    drawing.text({at, height + (height < frame.top + 16 ? 14 : -5)}, "halo", words);
    written_at = at + 7 * static_cast<double>(words.size());
  }
}

double highest(const std::vector<Segment>& segments) {
  double most = 0;
  for (const Segment& segment : segments) most = std::max(most, segment.bytes_per_s);
  return most;
}

double end_of(const Timeline& timeline) {
  double end = 0;
  for (const Segment& segment : timeline.segments) end = std::max(end, segment.when.to_s);
  for (const Band& band : timeline.bands) end = std::max(end, band.when.to_s);
  return end;
}

std::vector<std::string> timeline_remarks(const Timeline& timeline, size_t group) {
  std::vector<std::string> remarks;
  if (group > 1) remarks.push_back(fmt::format("Each step of the curve is the mean of {} values.", group));
  if (!timeline.demand) remarks.push_back(timeline.demand.error());
  if (!timeline.retries) {
    remarks.push_back(timeline.retries.error());
  } else if (timeline.retries->empty()) {
    remarks.emplace_back("no retries");
  } else {
    double sum = 0;
    for (const Retries& one : *timeline.retries) sum += one.count;
    remarks.push_back(counted(sum, "retry", "retries") + " in all");
  }
  return remarks;
}

}  // namespace

std::string timeline_plot(const Known<Timeline>& timeline) {
  constexpr std::string_view kTitle = "Throughput over time";
  if (!timeline) return empty_section(kTitle, timeline.error(), true);
  if (timeline->segments.empty()) return empty_section(kTitle, "the record has no byte of any second", true);
  const size_t group = (timeline->segments.size() + kMostSegments - 1) / kMostSegments;
  const std::vector<Segment> segments = thinned(timeline->segments, group);
  double top = highest(segments);
  double wanted = 0;
  if (timeline->demand) {
    for (const Band& band : *timeline->demand) wanted = std::max(wanted, band.bytes_per_s);
  }
  if (wanted <= 4 * top) top = std::max(top, wanted);
  const Axis x(0, end_of(*timeline), kWide.left, kWide.right);
  const Axis y(0, top * 1.08, kWide.bottom, kWide.top);
  Drawing drawing(kWide.width, kWide.height, "Throughput over time: " + timeline->what);
  draw_bands(drawing, timeline->bands, x, kWide, "band", true);
  draw_bands(drawing, timeline->pauses, x, kWide, "pause", false);
  draw_rate_axis(drawing, kWide, y);
  draw_areas(drawing, segments, true, x, y, "area1");
  draw_areas(drawing, segments, false, x, y, "area2");
  draw_bottom_line(drawing, kWide);
  draw_time_axis(drawing, kWide, x.high());
  if (timeline->demand) draw_demand(drawing, *timeline->demand, x, y, kWide);
  Legend legend;
  if (timeline->parted) legend.emplace_back("s1", "write");
  legend.emplace_back("s2", timeline->parted ? "read" : timeline->what);
  if (!timeline->bands.empty()) legend.emplace_back("band", timeline->bands.front().label + " and so on");
  if (!timeline->pauses.empty()) legend.emplace_back("pause", timeline->pauses.front().label);
  if (timeline->demand) legend.emplace_back("s5", timeline->demand->front().label);
  if (timeline->retries && !timeline->retries->empty()) {
    for (size_t i = 0; i < std::min(timeline->retries->size(), kMostMarks); ++i) {
      const Retries& one = (*timeline->retries)[i];
      drawing.circle({x.at(one.at_s), kWide.bottom - 4}, 4, "retry",
                     fmt::format("{} at {} s", counted(one.count, "retry", "retries"), figure(one.at_s)));
    }
    legend.emplace_back("retry", "retries");
  }
  return figure_section(kTitle, drawing.finish(), legend, timeline_remarks(*timeline, group), true);
}

}  // namespace mlps::reports::page
