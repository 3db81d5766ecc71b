#include "reports/page/record_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "reports/page/markup.hpp"
#include "rules/tree.hpp"

namespace mlps::reports::page {
namespace {

using rules::Node;

constexpr size_t kMostFigures = 150;

// Appends rows for all that is below `node`.
void add_figures(const std::string& key, Node node, Table& table) {
  if (table.rows.size() >= kMostFigures) {
    table.rest = "the rest is in the record";
    return;
  }
  const auto below = [&](const std::string& name) { return key.empty() ? name : key + "." + name; };
  if (node.is_object()) {
    for (const std::string& name : node.keys()) {
      if (name != "bucket_ns" && name != "bucket_count") add_figures(below(name), node[name], table);
    }
  } else if (node.is_list()) {
    std::vector<std::string> items;
    for (size_t i = 0; i < std::min<size_t>(node.size(), 12); ++i) {
      const Node item = node.item(i);
      if (item.is_object() || item.is_list()) return;
      items.push_back(item.is_number() ? figure(*item.number()) : item.has_value() ? item.dump() : "-");
    }
    if (node.size() > items.size()) items.push_back(fmt::format("... ({} in all)", node.size()));
    if (!items.empty()) table.rows.push_back({key, fmt::format("{}", fmt::join(items, ", "))});
  } else {
    const auto number = node.is_number() ? node.number() : std::nullopt;
    table.rows.push_back({key, number ? figure(*number) : node.has_value() ? node.text_or(node.dump()) : "-"});
  }
}

}  // namespace

std::optional<double> amount(Node node) {
  const auto number = node.is_number() ? node.number() : std::nullopt;
  return number && *number >= 0 ? number : std::nullopt;
}

double amount_or_zero(Node node) {
  return amount(node).value_or(0);
}

std::string figure_of(Node node) {
  return amount(node) ? figure(*amount(node)) : "-";
}

std::string time_of(Node node) {
  return amount(node) ? time_text(*amount(node)) : "-";
}

std::string share_text(double share) {
  return share >= 0.9995 && share < 1.0005 ? "100 %" : tenths(100 * share);
}

std::vector<Node> items_of(Node list) {
  std::vector<Node> items;
  if (!list.is_list()) return items;
  for (size_t i = 0; i < std::min(list.size(), kMostItems); ++i) items.push_back(list.item(i));
  return items;
}

std::vector<std::string> texts_of(Node list) {
  std::vector<std::string> texts;
  for (const Node item : items_of(list)) {
    if (const auto text = item.text()) texts.push_back(*text);
  }
  return texts;
}

std::optional<double> seconds_after_start(Node record, Node moment) {
  const auto start = record.at("time.run_start_utc").text();
  const auto text = moment.text();
  if (!start || !text) return std::nullopt;
  const auto from = rules::parse_moment(*start);
  const auto to = rules::parse_moment(*text);
  return from && to ? std::optional(*to - *from) : std::nullopt;
}

Known<Latency> latency_of(std::string name, Node histogram) {
  const std::string none = fmt::format("{}: the record has no histogram", name);
  Latency latency;
  const std::vector<Node> values = items_of(histogram["bucket_ns"]);
  const std::vector<Node> counts = items_of(histogram["bucket_count"]);
  for (const Node count : counts) latency.count += amount_or_zero(count);
  if (values.empty() && counts.empty() && histogram["count"].number() == 0.0) {
    return unknown(fmt::format("{}: no such operation", name));
  }
  if (values.empty() || values.size() != counts.size() || !(latency.count > 0)) return unknown(none);
  latency.name = std::move(name);
  double seen = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = amount(values[i]);
    const auto count = amount(counts[i]);
    if (!value || !count || (i > 0 && *value <= latency.curve.back().first)) return unknown(none);
    seen += *count;
    latency.curve.emplace_back(*value, std::min(1.0, seen / latency.count));
  }
  latency.p50_ns = amount(histogram["p50_ns"]);
  latency.p99_ns = amount(histogram["p99_ns"]);
  latency.p999_ns = amount(histogram["p999_ns"]);
  latency.max_ns = amount(histogram["max_ns"]);
  return latency;
}

Known<Latency> merged_latency(std::string name, const std::vector<Node>& histograms) {
  std::map<double, double> counts;
  Latency sum;
  std::string why = fmt::format("{}: no such operation", name);
  for (const Node histogram : histograms) {
    const Known<Latency> one = latency_of(name, histogram);
    if (!one) {
      why = one.error();
      continue;
    }
    double seen = 0;
    for (const auto& [value, share] : one->curve) {
      counts[value] += (share - seen) * one->count;
      seen = share;
    }
    sum.count += one->count;
    if (one->max_ns) sum.max_ns = std::max(sum.max_ns.value_or(0), *one->max_ns);
  }
  if (!(sum.count > 0) || !std::isfinite(sum.count)) return unknown(why);
  sum.name = std::move(name);
  double seen = 0;
  for (const auto& [value, count] : counts) {
    seen = std::min(1.0, seen + count / sum.count);
    sum.curve.emplace_back(value, &value == &counts.rbegin()->first ? 1.0 : seen);
    for (const auto& [share, place] :
         {std::pair{0.5, &sum.p50_ns}, std::pair{0.99, &sum.p99_ns}, std::pair{0.999, &sum.p999_ns}}) {
      if (!*place && sum.curve.back().second >= share) *place = value;
    }
  }
  return sum;
}

Known<std::vector<Latency>> known_latencies(const std::vector<Known<Latency>>& all) {
  std::vector<Latency> known;
  std::string why;
  for (const Known<Latency>& one : all) {
    if (one) {
      known.push_back(*one);
    } else {
      why += (why.empty() ? "" : "; ") + one.error();
    }
  }
  if (known.empty()) return unknown(why);
  return known;
}

std::string latency_text(Node histogram) {
  return fmt::format("p50 {}, p99 {}, max {}", time_of(histogram["p50_ns"]), time_of(histogram["p99_ns"]),
                     time_of(histogram["max_ns"]));
}

Known<Timeline> timeline_of_seconds(Node record, std::string what) {
  const Node seconds = record["per_second"];
  const auto interval = amount(seconds["interval_s"]);
  const std::vector<Node> intervals = items_of(seconds["intervals"]);
  if (!interval || !(*interval > 0 && *interval < 1e6)) {
    return unknown(
        "the record has nothing about single seconds: it is of an earlier version, or of a run without an end");
  }
  if (intervals.empty()) return unknown("nothing was measured in any second");
  Timeline timeline;
  timeline.what = std::move(what);
  std::vector<Retries> retries;
  bool knows_retries = true;
  for (size_t i = 0; i < intervals.size(); ++i) {
    const double start = amount(intervals[i]["s"]).value_or(static_cast<double>(i) * *interval);
    const auto bytes = amount(intervals[i]["bytes"]);
    const auto count = amount(intervals[i]["retries"]);
    knows_retries = knows_retries && count;
    if (bytes) timeline.segments.push_back({{start, start + *interval}, *bytes / *interval, false});
    if (count && *count > 0) retries.push_back({start + *interval / 2, *count});
  }
  timeline.retries = std::move(retries);
  if (!knows_retries) timeline.retries = unknown("the record doesn't say when requests were repeated");
  timeline.demand = unknown("no demand is known");
  return timeline;
}

std::optional<TimeStack> worker_time(std::string name, Node times, std::string_view working, std::string_view idle) {
  const double storage = amount_or_zero(times["submit_ns"]) + amount_or_zero(times["wait_ns"]);
  const double data = amount_or_zero(times[working]);
  const double waiting = amount_or_zero(times[idle]);
  const double other = amount_or_zero(times["other_ns"]);
  const double sum = storage + data + waiting + other;
  if (!(sum > 0) || !std::isfinite(sum)) return std::nullopt;
  return TimeStack{std::move(name),
                   {{"in calls to the storage", storage / sum, 7},
                    {"making or checking data", data / sum, 8},
                    {"other work of this client", other / sum, 5},
                    {"nothing to do", waiting / sum, 6}}};
}

Known<MovedBytes> moved_bytes(Node record) {
  const Node checks = record["cross_check"];
  if (!checks.is_list() || checks.size() == 0) return unknown("the run did not come to its end: nothing was compared");
  MovedBytes moved;
  moved.directions = {{"read", 0, {}, {}}, {"written", 0, {}, {}}};
  size_t counted_hosts = 0;
  size_t claiming_hosts = 0;
  for (const Node check : items_of(checks)) {
    if (!check["counted"].has_value()) {
      if (moved.remarks.size() < 4) {
        moved.remarks.push_back(
            fmt::format("{}: {}", check["host"].text_or("?"), check["text"].text_or("not counted")));
      }
    }
    if (!check["claimed"].has_value()) continue;
    const bool is_counted = check["counted"].has_value();
    ++claiming_hosts;
    counted_hosts += is_counted ? 1 : 0;
    for (Moved& direction : moved.directions) {
      const std::string key = direction.direction + "_bytes";
      direction.claimed += amount_or_zero(check["claimed"][key]);
      if (is_counted) direction.counted = direction.counted.value_or(0) + amount_or_zero(check["counted"][key]);
    }
  }
  if (claiming_hosts == 0) return unknown(moved.remarks.empty() ? "nothing was compared" : moved.remarks.front());
  // The counters of a part of the hosts can't stand beside the bytes of all.
  if (counted_hosts > 0 && counted_hosts < claiming_hosts) {
    for (Moved& direction : moved.directions) direction.counted.reset();
    moved.remarks.insert(moved.remarks.begin(),
                         fmt::format("the kernel counted on {} of {} hosts only", counted_hosts, claiming_hosts));
  }
  std::erase_if(moved.directions, [](const Moved& one) { return one.claimed == 0 && one.counted.value_or(0) == 0; });
  if (moved.directions.empty()) return unknown("nothing was moved");
  return moved;
}

Moved* direction_of(Known<MovedBytes>& moved, std::string_view direction) {
  if (!moved) return nullptr;
  for (Moved& one : moved->directions) {
    if (one.direction == direction) return &one;
  }
  return nullptr;
}

void set_cell(HeatMap& map, size_t row, size_t column, std::optional<double> value) {
  const bool legal = row < map.rows.size() && column < map.columns.size();
  if (legal && value && std::isfinite(*value)) map.values[row * map.columns.size() + column] = value;
}

std::vector<std::string> rank_names(Node record, size_t ranks) {
  std::vector<std::string> names;
  for (size_t rank = 0; rank < ranks; ++rank) names.push_back(fmt::format("{}", rank));
  const std::vector<Node> hosts = items_of(record["hosts"]);
  if (hosts.size() < 2) return names;
  for (const Node host : hosts) {
    const double first = amount_or_zero(host["first_rank"]);
    const double count = amount_or_zero(host["ranks"]);
    if (first + count > static_cast<double>(ranks)) continue;
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      names[static_cast<size_t>(first) + i] += " " + host["host"].text_or("?").substr(0, 20);
    }
  }
  return names;
}

Table figures_table(std::string title, const std::vector<std::pair<std::string, Node>>& parts) {
  Table table{std::move(title), {"figure", "value"}, {}, {}};
  for (const auto& [key, node] : parts) {
    if (node.has_value()) add_figures(key, node, table);
  }
  return table;
}

}  // namespace mlps::reports::page
