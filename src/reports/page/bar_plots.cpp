#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/page/plot_frame.hpp"
#include "reports/page/plots.hpp"

/// The drawings that are made of bars.
namespace mlps::reports::page {
namespace {

constexpr size_t kMostBars = 120;
constexpr size_t kMostRows = 12;
constexpr double kRow = 34;  // pixels, with its words

std::string plain_percent(double value) {
  return figure(value) + " %";
}

std::string style_of(size_t series) {
  return fmt::format("s{}", (series + 7) % 8 + 1);
}

void draw_vertical_bars(Drawing& drawing, const Bars& bars, size_t count, const Axis& y) {
  const double width = (kSmall.right - kSmall.left) / static_cast<double>(std::max<size_t>(1, count));
  const size_t step = static_cast<size_t>(std::ceil(26 / width));
  for (size_t i = 0; i < count; ++i) {
    const Bar& bar = bars.bars[i];
    const double left = kSmall.left + width * static_cast<double>(i);
    const double gap = std::min(width * 0.25, 8.0);
    if (bar.value) {
      const double top = y.at(*bar.value);
      drawing.rectangle({left + gap / 2, top}, width - gap, kSmall.bottom - top, style_of(bar.series),
                        fmt::format("{}: {}", bar.label, value_text(*bar.value, bars.unit)));
    } else {
      drawing.text({left + width / 2, kSmall.bottom - 4}, "middle", "?");
    }
    if (i % step == 0) drawing.text({left + width / 2, kSmall.bottom + 15}, "middle", bar.label, 12);
  }
}

// Rows of bars of which each is a whole; below a name, its parts side by side.
std::string stacked_rows(const std::vector<TimeStack>& stacks, std::string_view label, Legend& legend) {
  const size_t count = std::min(stacks.size(), kMostRows);
  Drawing drawing(420, static_cast<int>(8 + kRow * static_cast<double>(count)), label);
  for (size_t i = 0; i < count; ++i) {
    const double top = 4 + kRow * static_cast<double>(i);
    drawing.text({4, top + 11}, "", stacks[i].name, 70);
    double left = 4;
    for (const auto& [name, share, series] : stacks[i].shares) {
      auto known = std::find_if(legend.begin(), legend.end(), [&](const auto& one) { return one.second == name; });
      if (known == legend.end()) known = legend.insert(legend.end(), {style_of(series), name});
      const double width = 412 * std::clamp(share, 0.0, 1.0);
      const std::string words = percent(100 * share);
      drawing.rectangle({left, top + 15}, width, 15, known->first, fmt::format("{}: {}", name, words));
      if (width > 52) drawing.text({left + 4, top + 26.5}, "onbar", words);
      left += width;
    }
  }
  return drawing.finish();
}

std::string stack_words(const TimeStack& stack) {
  std::string words = stack.name + ":";
  for (const auto& [name, share, series] : stack.shares) {
    words += fmt::format("{} {} {}", words.ends_with(':') ? "" : ",", name, percent(100 * share));
  }
  return words;
}

}  // namespace

std::string bars_plot(const Known<Bars>& bars, std::string_view title_if_unknown) {
  if (!bars) return empty_section(title_if_unknown, bars.error());
  const size_t count = std::min(bars->bars.size(), kMostBars);
  const bool is_percent = bars->unit == "%";
  double top = bars->threshold.value_or(0);
  for (size_t i = 0; i < count; ++i) top = std::max(top, bars->bars[i].value.value_or(0));
  const Axis y(0, is_percent ? std::max(100.0, top) : top * 1.08, kSmall.bottom, kSmall.top);
  Drawing drawing(kSmall.width, kSmall.height, bars->title);
  if (is_percent) {
    draw_left_axis(drawing, kSmall, y, plain_percent);
  } else {
    draw_rate_axis(drawing, kSmall, y);
  }
  draw_vertical_bars(drawing, *bars, count, y);
  draw_bottom_line(drawing, kSmall);
  Legend legend;
  for (size_t i = 0; i < bars->series.size(); ++i) legend.emplace_back(style_of(i + 1), bars->series[i]);
  std::vector<std::string> remarks;
  if (bars->threshold) {
    const double height = y.at(*bars->threshold);
    drawing.line({kSmall.left, height}, {kSmall.right, height}, "demand");
    legend.emplace_back("s5", fmt::format("needed: {}", value_text(*bars->threshold, bars->unit)));
  }
  if (count < bars->bars.size()) remarks.push_back(fmt::format("the first {} of {}", count, bars->bars.size()));
  return figure_section(bars->title, drawing.finish(), legend, remarks);
}

std::string time_plot(const Known<std::vector<TimeStack>>& stacks) {
  constexpr std::string_view kTitle = "Where the time went";
  if (!stacks) return empty_section(kTitle, stacks.error());
  Legend legend;
  const std::string drawing = stacked_rows(*stacks, kTitle, legend);
  std::vector<std::string> remarks;
  for (const TimeStack& stack : *stacks) remarks.push_back(stack_words(stack));
  return figure_section(kTitle, drawing, legend, remarks);
}

std::string hits_plot(const Known<std::vector<HitSource>>& hits) {
  constexpr std::string_view kTitle = "What was found in the cache";
  if (!hits) return empty_section(kTitle, hits.error());
  std::vector<TimeStack> rows;
  for (const HitSource& source : *hits) {
    const double all = source.hits + source.misses;
    rows.push_back({fmt::format("{}: {} of {} found", source.name, figure(source.hits), figure(all)),
                    {{"found", source.hits / all, 2}, {"not found", source.misses / all, 6}}});
  }
  Legend legend;
  const std::string drawing = stacked_rows(rows, kTitle, legend);
  return figure_section(kTitle, drawing, legend, {});
}

std::string moved_plot(const Known<MovedBytes>& moved) {
  constexpr std::string_view kTitle = "Bytes: claimed, counted by the kernel, from the page cache";
  if (!moved) return empty_section(kTitle, moved.error());
  double most = 0;
  for (const Moved& one : moved->directions) most = std::max({most, one.claimed, one.counted.value_or(0)});
  const Axis x(0, most, 0, 270);
  Drawing drawing(420, static_cast<int>(66 * moved->directions.size() + 4), kTitle);
  std::vector<std::string> remarks;
  for (size_t i = 0; i < moved->directions.size(); ++i) {
    const Moved& one = moved->directions[i];
    const double top = 66 * static_cast<double>(i) + 4;
    drawing.text({62, top + 14}, "end", one.direction);
    const auto bar = [&](double row, std::optional<double> value, std::string_view style, std::string_view words) {
      const double y = top + 20 * row;
      if (value) drawing.rectangle({68, y + 3}, x.at(*value), 14, style, words);
      const std::string text = fmt::format("{} {}", words, value ? bytes_text(*value) : "not known");
      const double at = value ? 68 + x.at(*value) + 5 : 68;
      const bool inside = at + 6.3 * static_cast<double>(text.size()) > 416;
      drawing.text({inside ? 73 : at, y + 14}, inside ? "onbar" : "", text);
    };
    bar(0, one.claimed, "s2", "claimed");
    bar(1, one.counted, "s3", "counted");
    if (one.direction == "read") bar(2, one.cached, "s6", "cached");
  }
  remarks.insert(remarks.end(), moved->remarks.begin(), moved->remarks.end());
  return figure_section(kTitle, drawing.finish(), {}, remarks);
}

}  // namespace mlps::reports::page
