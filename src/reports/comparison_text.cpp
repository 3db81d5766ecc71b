#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/encoding.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "reports/compare.hpp"
#include "results/text_table.hpp"

namespace mlps::reports {
namespace {

constexpr std::array<std::pair<const char*, double>, 6> kShares = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}}};
constexpr double kNanosOfMilli = 1e6;
constexpr size_t kMostShown = 60;  // letters of a value that differs

double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

std::string change_text(double before, double after) {
  return before == 0 ? std::string("-") : fmt::format("{:+.1f} %", 100 * (after / before - 1));
}

std::string spread_text(const std::vector<double>& values) {
  if (values.empty()) return "-";
  return fmt::format("{:.4g} ({:.4g} to {:.4g}, n {})", median(values), quantile(values, 0), quantile(values, 1),
                     values.size());
}

Json numbers_json(const std::vector<double>& values) {
  Json json;
  json["values"] = values;
  json["median"] = values.empty() ? Json() : Json(median(values));
  json["minimum"] = values.empty() ? Json() : Json(quantile(values, 0));
  json["maximum"] = values.empty() ? Json() : Json(quantile(values, 1));
  return json;
}

Json figure_json(const ComparedFigure& figure) {
  Json json;
  json["name"] = figure.name;
  json["more_is_better"] = figure.more_is_better;
  json["value_of"] = figure.value_of;
  json["a"] = numbers_json(figure.first);
  json["b"] = numbers_json(figure.second);
  const bool both = !figure.first.empty() && !figure.second.empty() && median(figure.first) != 0;
  json["ratio"] = both ? Json(median(figure.second) / median(figure.first)) : Json();
  json["ratio_interval_95"] = figure.ratio ? Json({{"low", figure.ratio->low}, {"high", figure.ratio->high}}) : Json();
  json["p"] = figure.test ? Json(figure.test->p) : Json();
  json["method"] = !figure.test            ? Json()
                   : figure.test->is_exact ? Json("Mann-Whitney U, exact")
                                           : Json("Mann-Whitney U, normal approximation");
  json["differs"] = figure.test ? Json(figure.test->differs()) : Json();
  const auto advised = figure.test && !figure.test->differs() ? values_advised(*figure.test) : std::nullopt;
  json["values_advised"] = advised ? Json(*advised) : Json();
  json["statement"] = figure.statement();
  return json;
}

Json percentiles_json(const LatencyCounts& counts) {
  Json json;
  double all = 0;
  for (const auto& [bound, count] : counts) all += count;
  json["count"] = static_cast<uint64_t>(all);
  for (const auto& [name, share] : kShares) {
    const auto value = ComparedLatency::percentile(counts, share);
    json[fmt::format("{}_ns", name)] = value ? Json(*value) : Json();
  }
  return json;
}

std::string latency_rows(const std::vector<ComparedLatency>& latencies) {
  std::vector<std::vector<std::string>> rows = {{"latency, ms", "p50", "p90", "p95", "p99", "p999", "max", "distance"}};
  for (const ComparedLatency& latency : latencies) {
    for (const auto& [counts, letter] : {std::pair{&latency.first, 'A'}, {&latency.second, 'B'}}) {
      std::vector<std::string> row = {fmt::format("{} {}", letter, latency.name)};
      for (const auto& [name, share] : kShares) {
        const auto value = ComparedLatency::percentile(*counts, share);
        row.push_back(value ? fmt::format("{:.4g}", *value / kNanosOfMilli) : "-");
      }
      row.push_back(letter == 'A' ? "" : fmt::format("{:.3f}", latency.distance()));
      rows.push_back(std::move(row));
    }
  }
  return results::aligned_rows(rows, 2);
}

std::string shown(const std::set<std::string>& values) {
  if (values.empty()) return "-";
  std::string text = printable(join(values, " | "), 2 * kMostShown);
  return text.size() <= kMostShown ? text : text.substr(0, kMostShown) + "...";
}

}  // namespace

std::string ComparedFigure::statement() const {
  if (!test) return "can't tell: a side has no value";
  const double before = median(first);
  const double after = median(second);
  if (test->differs()) {
    const bool higher = test->superiority > 0.5;
    return fmt::format("B is {} ({}, p = {:.3g})", higher == more_is_better ? "better" : "worse",
                       change_text(before, after), test->p);
  }
  const auto advised = values_advised(*test);
  if (!advised) return fmt::format("can't tell (p = {:.3g}): the values show no difference", test->p);
  const size_t least = std::min(first.size(), second.size());
  // A test that has enough values and finds nothing had bad luck, or there is nothing.
  const size_t more = std::max<size_t>(1, *advised > least ? *advised - least : 0);
  return fmt::format(
      "can't tell ({}, p = {:.3g}): a difference like this needs about {} values on each side, {} more {}s",
      change_text(before, after), test->p, *advised, more, value_of);
}

std::optional<double> ComparedLatency::percentile(const LatencyCounts& counts, double share) {
  double all = 0;
  for (const auto& [bound, count] : counts) all += count;
  double seen = 0;
  for (const auto& [bound, count] : counts) {
    seen += count;
    if (seen >= share * all) return bound;
  }
  return std::nullopt;
}

double ComparedLatency::distance() const {
  double all_first = 0, all_second = 0;
  for (const auto& [bound, count] : first) all_first += count;
  for (const auto& [bound, count] : second) all_second += count;
  double most = 0, seen_first = 0, seen_second = 0;
  LatencyCounts bounds = first;
  bounds.insert(second.begin(), second.end());
  for (const auto& [bound, unused] : bounds) {
    if (const auto found = first.find(bound); found != first.end()) seen_first += found->second;
    if (const auto found = second.find(bound); found != second.end()) seen_second += found->second;
    most = std::max(most, std::abs(seen_first / all_first - seen_second / all_second));
  }
  return most;
}

std::string comparison_text(const Comparison& comparison) {
  std::string text = fmt::format("Comparison of {} {}: A {}, B {}\n", comparison.benchmark, comparison.model,
                                 counted(static_cast<double>(comparison.first_runs.size()), "run"),
                                 counted(static_cast<double>(comparison.second_runs.size()), "run"));
  for (const auto& [runs, letter] : {std::pair{&comparison.first_runs, 'A'}, {&comparison.second_runs, 'B'}}) {
    for (const std::string& run : *runs) text += fmt::format("  {}  {}\n", letter, printable(run));
  }
  std::vector<std::vector<std::string>> rows = {{"median (least to most, values)", "A", "B", "B to A"}};
  for (const ComparedFigure& figure : comparison.figures) {
    const bool both = !figure.first.empty() && !figure.second.empty();
    rows.push_back({figure.name, spread_text(figure.first), spread_text(figure.second),
                    both ? change_text(median(figure.first), median(figure.second)) : "-"});
  }
  text += results::aligned_rows(rows, 2);
  for (const ComparedFigure& figure : comparison.figures) {
    text += fmt::format("  {}: {}\n", figure.name, figure.statement());
  }
  if (!comparison.latencies.empty()) text += latency_rows(comparison.latencies);
  text += comparison.differences.empty() ? "What differs: nothing that the metadata tell\n" : "What differs\n";
  for (const Difference& one : comparison.differences) {
    text += fmt::format("  {} {}: {} -> {}\n", one.kind, one.key, shown(one.first), shown(one.second));
  }
  for (const std::string& note : comparison.notes) text += fmt::format("note: {}\n", printable(note, 400));
  return text;
}

Json comparison_json(const Comparison& comparison) {
  Json figures = Json::array();
  for (const ComparedFigure& figure : comparison.figures) figures.push_back(figure_json(figure));
  Json latencies = Json::array();
  for (const ComparedLatency& latency : comparison.latencies) {
    latencies.push_back({{"name", latency.name},
                         {"a", percentiles_json(latency.first)},
                         {"b", percentiles_json(latency.second)},
                         {"distance", latency.distance()}});
  }
  Json differences = Json::array();
  for (const Difference& one : comparison.differences) {
    differences.push_back({{"kind", one.kind},
                           {"key", one.key},
                           {"a", std::vector<std::string>(one.first.begin(), one.first.end())},
                           {"b", std::vector<std::string>(one.second.begin(), one.second.end())}});
  }
  return {{"schema", "mlpstorage.comparison/1"},
          {"benchmark", comparison.benchmark},
          {"model", comparison.model},
          {"runs_a", comparison.first_runs},
          {"runs_b", comparison.second_runs},
          {"significance", kSignificance},
          {"figures", std::move(figures)},
          {"latencies", std::move(latencies)},
          {"differences", std::move(differences)},
          {"notes", comparison.notes}};
}

}  // namespace mlps::reports
