#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/page/markup.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

namespace mlps::reports::page {
namespace {

using rules::Node;

constexpr size_t kMostWindows = 40;
constexpr size_t kMostWindowLines = 4;
constexpr size_t kMostEfforts = 200;

// One window in which searches were measured, with its workers.
struct SearchWindow {
  std::string name;  ///< "window 1", or the recall that a sweep was to reach
  size_t number = 0;
  Node result;
  Stretch when;
  std::vector<Node> workers;
  std::optional<double> bytes;         ///< that its queries read; nothing where the engine doesn't tell
  std::optional<double> cached_share;  ///< of the collection's files in the page cache, as the window opened
};

std::optional<double> product(std::optional<double> a, std::optional<double> b) {
  return a && b ? std::optional(*a * *b) : std::nullopt;
}

std::optional<double> share_of_cache(Node record, size_t window) {
  double cached = 0;
  double stored = 0;
  for (const Node host : items_of(record["host_windows"])) {
    if (amount(host["window"]) != static_cast<double>(window)) continue;
    const auto here = amount(host["page_cache_bytes"]);
    const auto all = amount(host["stored_bytes"]);
    if (!here || !all) return std::nullopt;
    cached += *here;
    stored += *all;
  }
  return stored > 0 ? std::optional(std::min(1.0, cached / stored)) : std::nullopt;
}

std::vector<SearchWindow> search_windows(Node record) {
  std::vector<SearchWindow> windows;
  for (const Node result : items_of(record["windows"])) {
    if (windows.size() == kMostWindows) break;
    SearchWindow one;
    one.number = windows.size();
    const auto target = amount(result["recall_target"]);
    one.name = target ? fmt::format("recall {}", figure(*target)) : fmt::format("window {}", windows.size() + 1);
    one.result = result;
    one.bytes = product(amount(result.at("per_query.bytes")), amount(result["queries_answered"]));
    one.cached_share = share_of_cache(record, windows.size());
    windows.push_back(std::move(one));
  }
  for (const Node worker : items_of(record["workers"])) {
    const auto window = amount(worker["window"]);
    if (window && *window < static_cast<double>(windows.size())) {
      windows[static_cast<size_t>(*window)].workers.push_back(worker);
    }
  }
  for (SearchWindow& one : windows) {
    std::optional<double> start;
    for (const Node worker : one.workers) {
      const auto begin = amount(worker["start_ns"]);
      if (begin) start = std::min(start.value_or(*begin), *begin);
    }
    one.when.from_s = start.value_or(0) / 1e9;
    one.when.to_s = start ? one.when.from_s + amount_or_zero(one.result["window_s"]) : one.when.from_s;
  }
  return windows;
}

bool is_reached(const SearchWindow& window) {
  return window.result["target_reached"].boolean() != false;
}

// The window that the figures of the run are about: that of the highest recall which was reached, or the last.
const SearchWindow* main_window(const std::vector<SearchWindow>& windows) {
  const auto reached = std::find_if(windows.rbegin(), windows.rend(), is_reached);
  if (reached != windows.rend()) return &*reached;
  return windows.empty() ? nullptr : &windows.back();
}

std::string milliseconds(Node node) {
  return amount(node) ? time_text(1e6 * *amount(node)) : "-";
}

std::string recall_text(Node window) {
  const auto recall = amount(window.at("recall.mean"));
  return fmt::format("recall@{} {}", figure_of(window.at("recall.k")), recall ? percent(100 * *recall) : "-");
}

std::string window_text(const SearchWindow& window) {
  const Node result = window.result;
  std::string text = fmt::format("{} queries/s at {}, p99 {}", figure_of(result["queries_per_s"]), recall_text(result),
                                 milliseconds(result.at("latency.p99_ms")));
  const auto target = amount(result["recall_target"]);
  const auto recall = amount(result.at("recall.mean"));
  if (target && !is_reached(window)) {
    text += fmt::format(" (recall {} NOT REACHED by any effort)", figure(*target));
  } else if (target && recall && *recall < *target) {
    text += fmt::format(" (below the {} that fewer queries reached in the sweep)", figure(*target));
  }
  return text;
}

bool is_search(Node record) {
  return record.at("plan.command").text_or("run") == "run";
}

void vector_title(Node record, RunView& view) {
  const auto rows = amount(record.at("collection.rows"));
  view.title = fmt::format("Vector {}, {} {}", is_search(record) ? "search" : "load",
                           record.at("plan.engine").text_or("?"), record.at("plan.index.type").text_or("?"));
  if (rows) view.title += fmt::format(", {} vectors", figure(*rows));
}

void search_answer(Node record, const std::vector<SearchWindow>& windows, RunView& view) {
  std::vector<std::string> figures;
  size_t reached = 0;
  for (const SearchWindow& window : windows) {
    if (!amount(window.result["queries_per_s"]) || amount(window.result["queries_answered"]).value_or(0) == 0) continue;
    reached += is_reached(window) ? 1 : 0;
    figures.push_back(window_text(window));
    if (view.lines.size() < kMostWindowLines) view.lines.push_back({window.name, {figures.back()}, 1});
  }
  const std::string what =
      fmt::format("{} {}", record.at("plan.engine").text_or("?"), record.at("plan.index.type").text_or("?"));
  if (figures.empty()) {
    view.answer = "NO ANSWER: no query was answered in a window";
  } else if (figures.size() == 1) {
    const Node result = windows.front().result;
    view.answer = fmt::format("{}: {} queries/s at {}", what, figure_of(result["queries_per_s"]), recall_text(result));
  } else {
    view.answer = fmt::format("{}: {} of {} recall targets reached", what, reached, figures.size());
  }
  const auto arriving = amount(record.at("plan.search.arrival_rate"));
  const auto rows = amount(record.at("collection.rows"));
  view.aside = rows ? counted(*rows, "vector", "vectors") : "";
  if (arriving && *arriving > 0) view.aside += fmt::format(", {} searches/s arrived", figure(*arriving));
  if (reached < figures.size()) view.answer_tone = Tone::kBad;
}

// Says what a query reads, how sure the figures of a window are, and what they are in the rules.
void search_sure(Node record, const SearchWindow* window, RunView& view) {
  if (window == nullptr) return;
  const Node result = window->result;
  const Node cost = result["per_query"];
  const auto bytes = amount(cost["bytes"]);
  view.limit_details.push_back(
      fmt::format("a query: {} reads, {}, {} of client CPU", figure_of(cost["reads"]), bytes ? bytes_text(*bytes) : "-",
                  amount(cost["client_cpu_us"]) ? time_text(1e3 * *amount(cost["client_cpu_us"])) : "-"));
  view.sure.push_back(counted(amount_or_zero(result["queries_answered"]), "query answered", "queries answered"));
  view.sure.push_back(counted(amount_or_zero(result["searches_failed"]), "search failed", "searches failed"));
  // What the engine read of files; a server's cache is its own.
  if (record.at("store.file_system").boolean() == true && amount_or_zero(cost["reads"]) > 0) {
    view.cached_share = window->cached_share;
  }
  const Node official = result["official"];
  view.mlperf.push_back("throughput_qps " + figure_of(official["throughput_qps"]));
  view.mlperf.push_back("p99_latency_ms " + figure_of(official.at("latency.p99_ms")));
}

// Where the time of the workers of a window went; the time of searches that ended after the window counts too.
std::optional<TimeStack> time_of_window(Node record, const SearchWindow& window) {
  const Node result = window.result;
  const auto answered = amount(result["queries_answered"]);
  const auto waited = product(amount(result.at("per_query.wait_us")), answered);
  if (!waited || !(*answered > 0)) return std::nullopt;
  const double computed = amount_or_zero(result.at("per_query.compute_us")) * *answered;
  const double all =
      std::max(1e6 * amount_or_zero(result["window_s"]) * amount_or_zero(result["workers"]), *waited + computed);
  if (!(all > 0) || !(all < 1e300)) return std::nullopt;
  const bool embedded = record.at("plan.engine").text_or("") == "embedded";
  return TimeStack{window.name,
                   {{embedded ? "waiting for the storage" : "waiting for the server", *waited / all, 7},
                    {"searching, on this client's processor", computed / all, 8},
                    {"between searches", std::max(0.0, 1 - (*waited + computed) / all), 6}}};
}

void search_time(Node record, const std::vector<SearchWindow>& windows, RunView& view) {
  std::vector<TimeStack> stacks;
  for (const SearchWindow& window : windows) {
    if (auto stack = time_of_window(record, window)) stacks.push_back(std::move(*stack));
  }
  if (stacks.empty()) {
    view.time = unknown("no query was answered, so that no time of a worker is known");
  } else {
    view.time = std::move(stacks);
  }
}

void search_limit(Node record, const SearchWindow* window, RunView& view) {
  const auto stack = window != nullptr ? time_of_window(record, *window) : std::nullopt;
  if (!stack) {
    view.limit = "an unknown part: the record has no times of workers";
    return;
  }
  const double waiting = stack->shares[0].share;
  const double searching = stack->shares[1].share;
  const double between = stack->shares[2].share;
  const std::string_view limit = between > std::max(waiting, searching) ? "the searches asked for"
                                 : waiting >= searching
                                     ? stack->shares[0].name == "waiting for the server" ? "the server" : "storage"
                                     : "this client's processor";
  view.limit = fmt::format("{}: workers {} {}, searching {}, between {}", limit,
                           stack->shares[0].name == "waiting for the server" ? "waiting for it" : "waiting for reads",
                           share_text(waiting), share_text(searching), share_text(between));
}

void search_figures(Node record, const SearchWindow* window, RunView& view) {
  const Node result = window != nullptr ? window->result : record["window"];
  const std::string failed = figure_of(result["searches_failed"]);
  view.key_figures.push_back(
      {"queries", window != nullptr ? figure_of(result["queries_per_s"]) + "/s" : "-",
       fmt::format("{}; effort {}; {} searches failed", window != nullptr ? window->name : "no window",
                   figure_of(result["effort"]), failed)});
  const auto recall = amount(result.at("recall.mean"));
  const auto nearest = amount(result.at("recall.at_1"));
  view.key_figures.push_back({fmt::format("recall@{}", figure_of(result.at("recall.k"))),
                              recall ? percent(100 * *recall) : "-",
                              fmt::format("of the nearest alone {}", nearest ? percent(100 * *nearest) : "-")});
  const Node latency = result["latency"];
  view.key_figures.push_back({"latency p99", milliseconds(latency["p99_ms"]),
                              fmt::format("of a search: mean {}, p50 {}, p99.9 {}", milliseconds(latency["mean_ms"]),
                                          milliseconds(latency["median_ms"]), milliseconds(latency["p999_ms"]))});
  const Node cost = result["per_query"];
  const auto bytes = amount(cost["bytes"]);
  view.key_figures.push_back(
      {"reads of a query", figure_of(cost["reads"]),
       fmt::format("{} in {} rounds, {} from the engine's cache", bytes ? bytes_text(*bytes) : "-",
                   figure_of(cost["rounds"]), figure_of(cost["cache_hits"]))});
  const auto cpu = amount(cost["client_cpu_us"]);
  view.key_figures.push_back({"client CPU of a query", cpu ? time_text(1e3 * *cpu) : "-", "of all hosts together"});
  for (const Node inserts : items_of(record["inserts"])) {
    const auto seconds = amount(inserts["seconds"]);
    if (window == nullptr || amount(inserts["window"]) != static_cast<double>(window->number) || !seconds ||
        !(*seconds > 0))
      continue;
    view.key_figures.push_back({"inserted meanwhile", figure(amount_or_zero(inserts["inserted"]) / *seconds) + "/s",
                                "a batch: " + latency_text(inserts.at("latency.insert"))});
  }
  const Node official = result["official"];
  const auto throughput = amount(official["throughput_qps"]);
  view.key_figures.push_back(
      {"MLPerf throughput", throughput ? figure(*throughput) + "/s" : "-",
       "failed searches and those after the window counted; p99 " + milliseconds(official.at("latency.p99_ms"))});
}

void search_timeline(const std::vector<SearchWindow>& windows, RunView& view) {
  Timeline timeline;
  timeline.what = "bytes that queries read per second, over each window";
  double end = -1;
  for (const SearchWindow& window : windows) {
    if (!(window.when.to_s > window.when.from_s) || !window.bytes) continue;
    timeline.segments.push_back({window.when, *window.bytes / (window.when.to_s - window.when.from_s), false});
    timeline.bands.push_back({window.when, window.name, 0});
    if (end >= 0 && window.when.from_s - end > 0.5) timeline.pauses.push_back({{end, window.when.from_s}, "pause", 0});
    end = window.when.to_s;
  }
  if (timeline.segments.empty()) {
    view.timeline = unknown(windows.empty() ? "no window was opened" : "a server doesn't tell what queries read");
    return;
  }
  timeline.demand = unknown("no demand: searches ask for queries, not for bytes");
  timeline.retries = unknown("the record doesn't say when reads were repeated");
  view.timeline = std::move(timeline);
}

RecallPoint recall_point(Node node, Node recall, Node reads, std::string label) {
  return {std::move(label), amount(recall).value_or(-1), amount_or_zero(node["queries_per_s"]), amount(reads)};
}

void search_recall(Node record, const std::vector<SearchWindow>& windows, RunView& view) {
  RecallCurve curve;
  const auto fits = [](const RecallPoint& point) { return point.recall >= 0 && point.recall <= 1; };
  for (const Node step : items_of(record["sweep"])) {
    RecallPoint point = recall_point(step, step["recall"], step["reads_per_query"],
                                     fmt::format("effort {}", figure_of(step["effort"])));
    if (record.at("plan.engine").text_or("") != "embedded") point.reads.reset();
    if (fits(point) && curve.sweep.size() < kMostEfforts) curve.sweep.push_back(std::move(point));
  }
  for (const SearchWindow& window : windows) {
    RecallPoint point =
        recall_point(window.result, window.result.at("recall.mean"), window.result.at("per_query.reads"), window.name);
    if (fits(point)) curve.windows.push_back(std::move(point));
    if (const auto target = amount(window.result["recall_target"])) curve.targets.push_back(*target);
  }
  if (curve.sweep.empty() && curve.windows.empty()) {
    view.recall = unknown("no query was answered, so that no recall is known");
  } else {
    view.recall = std::move(curve);
  }
}

void search_latencies(const std::vector<SearchWindow>& windows, RunView& view) {
  std::vector<Known<Latency>> all;
  for (const SearchWindow& window : windows) {
    std::vector<Node> searches;
    for (const Node worker : window.workers) searches.push_back(worker.at("latency.search"));
    all.push_back(merged_latency("search, " + window.name, searches));
  }
  if (all.empty()) all.push_back(unknown("no window was opened"));
  view.latencies = known_latencies(all);
}

void search_heat(Node record, const std::vector<SearchWindow>& windows, RunView& view) {
  const double ranks = amount_or_zero(record.at("plan.ranks"));
  if (windows.empty()) return view.heat_maps.push_back(unknown("no window was opened"));
  if (ranks < 1 || ranks * static_cast<double>(windows.size()) > kMostItems) {
    return view.heat_maps.push_back(
        unknown("the record doesn't say of how many workers, or there are too many to draw"));
  }
  HeatMap map{"Queries of each worker per second, in each window", "1/s", {}, {}, {}};
  map.rows = rank_names(record, static_cast<size_t>(ranks));
  for (const SearchWindow& window : windows) map.columns.push_back(window.name);
  map.values.resize(map.rows.size() * map.columns.size());
  for (size_t column = 0; column < windows.size(); ++column) {
    const auto seconds = amount(windows[column].result["window_s"]);
    for (const Node worker : windows[column].workers) {
      const auto rank = amount(worker["rank"]);
      const auto completed = amount(worker["queries_completed"]);
      if (!rank || *rank >= ranks || !completed || !seconds || !(*seconds > 0)) continue;
      set_cell(map, static_cast<size_t>(*rank), column, *completed / *seconds);
    }
  }
  view.heat_maps.push_back(std::move(map));
}

void search_cache(const SearchWindow* window, RunView& view) {
  const auto reads = window != nullptr ? amount(window->result.at("per_query.reads")) : std::nullopt;
  const auto hits = window != nullptr ? amount(window->result.at("per_query.cache_hits")) : std::nullopt;
  if (!reads || !hits || !(*reads + *hits > 0)) return;
  const double answered = amount_or_zero(window->result["queries_answered"]);
  view.hits = std::vector{HitSource{"reads, in the engine's own cache", *hits * answered, *reads * answered}};
}

void search_moved(Node record, const std::vector<SearchWindow>& windows, RunView& view) {
  view.moved = moved_bytes(record);
  if (!view.moved) return;
  std::optional<double> cached = 0;
  for (const SearchWindow& window : windows) {
    const auto more = product(window.bytes, window.cached_share);
    cached = cached && more ? std::optional(*cached + *more) : std::nullopt;
  }
  if (windows.empty()) cached.reset();
  Moved* read = direction_of(view.moved, "read");
  if (cached && read != nullptr) {
    read->cached = std::min(*cached, read->claimed);
    view.moved->remarks.emplace_back(
        "from the page cache: the share of the collection's files that it held as each window opened, of what was "
        "read");
  } else {
    view.moved->remarks.emplace_back("from the page cache: not known");
  }
}

void view_search(Node record, RunView& view) {
  const std::vector<SearchWindow> windows = search_windows(record);
  const SearchWindow* main = main_window(windows);
  search_answer(record, windows, view);
  search_limit(record, main, view);
  search_sure(record, main, view);
  search_figures(record, main, view);
  search_timeline(windows, view);
  search_recall(record, windows, view);
  search_cache(main, view);
  search_time(record, windows, view);
  search_latencies(windows, view);
  search_heat(record, windows, view);
  search_moved(record, windows, view);
  std::vector<std::pair<std::string, Node>> parts;
  for (const SearchWindow& window : windows) {
    if (parts.size() < 6) parts.emplace_back(window.name, window.result);
  }
  parts.emplace_back("truth", record["truth"]);
  parts.emplace_back("collection", record["collection"]);
  parts.emplace_back("seconds of steps", record["steps"]);
  view.tables.push_back(figures_table("All figures", parts));
}

}  // namespace

void view_vectordb(Node record, RunView& view) {
  vector_title(record, view);
  if (is_search(record)) {
    view_search(record, view);
  } else {
    view_vector_load(record, view);
  }
}

}  // namespace mlps::reports::page
