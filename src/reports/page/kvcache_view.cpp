#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/units.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

namespace mlps::reports::page {
namespace {

using rules::Node;

constexpr size_t kMostTrials = 60;

// What all ranks did in one trial of an option.
struct CacheTrial {
  double start_s = 0, elapsed_s = 0;
  double offered = 0, completed = 0, good = 0;
  bool knows_load = true, knows_good = true;
  std::map<size_t, double> rank_rates;  ///< bytes per second that a rank moved on storage
};

using TrialName = std::pair<size_t, size_t>;  ///< option and trial

// Adds the requests of one rank: by a trace, or of the classes.
void add_requests(Node trial, CacheTrial& sum) {
  const Node replay = trial["replay"];
  if (replay.is_object()) {
    const double requests = amount_or_zero(replay["requests"]);
    const auto within = amount(replay["within_slo"]);
    sum.offered += requests;
    sum.completed += requests;
    sum.good += within.value_or(0) * requests;
    sum.knows_good = sum.knows_good && within;
    return;
  }
  const auto offered = amount(trial.at("requests.offered"));
  const auto completed = amount(trial.at("requests.completed"));
  sum.knows_load = sum.knows_load && offered && completed;
  sum.offered += offered.value_or(0);
  sum.completed += completed.value_or(0);
  const Node classes = trial["classes"];
  sum.knows_good = sum.knows_good && classes.is_object();
  for (const std::string& name : classes.keys()) sum.good += amount_or_zero(classes[name]["within_target"]);
}

std::map<TrialName, CacheTrial> cache_trials(Node record) {
  std::map<TrialName, CacheTrial> trials;
  for (const Node trial : items_of(record["trials"])) {
    const auto option = amount(trial["option"]);
    const auto number = amount(trial["trial"]);
    const auto rank = amount(trial["rank"]);
    const auto elapsed = amount(trial["elapsed_s"]);
    if (!option || *option > 1000 || !number || *number > 1e6 || !rank || *rank > kMostItems || !elapsed ||
        *elapsed <= 0)
      continue;
    CacheTrial& sum = trials[{static_cast<size_t>(*option), static_cast<size_t>(*number)}];
    const double start = amount_or_zero(trial["start_ns"]) / 1e9;
    sum.start_s = sum.elapsed_s == 0 ? start : std::min(sum.start_s, start);
    sum.elapsed_s = std::max(sum.elapsed_s, *elapsed);
    add_requests(trial, sum);
    const Node storage = trial.at("tiers.storage");
    const auto read = amount(storage.at("read_bytes.inside"));
    const auto written = amount(storage.at("written_bytes.inside"));
    if (read && written) sum.rank_rates[static_cast<size_t>(*rank)] = (*read + *written) / *elapsed;
  }
  return trials;
}

std::string trial_label(const TrialName& name) {
  return fmt::format("{}.{}", name.first, name.second + 1);
}

void cache_answer(Node record, RunView& view) {
  view.title = fmt::format("KV cache {}, {} {}", record.at("invocation.model").text_or("?"),
                           figure_of(record.at("plan.ranks")), amount(record.at("plan.ranks")) == 1 ? "rank" : "ranks");
  std::string text;
  for (const Node result : items_of(record["results"])) {
    const auto attained = amount(result["attainment"]);
    text += fmt::format("{}{} (option {})", text.empty() ? "requests within their target: " : ", ",
                        attained ? percent(100 * *attained) : "not known", figure_of(result["option"]));
    if (text.size() > 300) break;
  }
  view.answer = text.empty() ? "no answer: no trial was completed" : text;
  const auto share = amount(record.at("client.share"));
  view.limit = share ? fmt::format("entries waited for this client {} of their time", percent(100 * *share))
                     : "how long entries waited for this client is not known";
}

void cache_figures(Node record, RunView& view) {
  for (const Node result : items_of(record["results"])) {
    if (view.key_figures.size() >= 6) break;
    const auto hits = amount(result["hit_rate"]);
    view.key_figures.push_back(
        {fmt::format("option {}, storage", figure_of(result["option"])),
         fmt::format("{} + {} GiB/s", figure_of(result["storage_read_gib_per_s"]),
                     figure_of(result["storage_write_gib_per_s"])),
         fmt::format("read + written; {} of {} requests/s in time; hit rate {}; read of an entry p95 {} ms",
                     figure_of(result["good_requests_per_s"]), figure_of(result["requests_per_s"]),
                     hits ? percent(100 * *hits) : "-", figure_of(result["entry_read_p95_ms"]))});
  }
  const Node latency = record.at("operations.storage.latency.part");
  view.key_figures.push_back({"storage p99", time_of(latency["p99_ns"]), "of an operation: " + latency_text(latency)});
  view.key_figures.push_back({"retries", figure_of(record.at("operations.storage.retries")), ""});
}

// The load that the plan offers each host in an option, where it has a rate of its own.
std::optional<double> offered_rate(Node record, size_t option) {
  std::map<std::string, int> hosts;
  for (const Node host : items_of(record["hosts"])) ++hosts[host["host"].text_or("?")];
  for (const Node one : items_of(record.at("plan.options"))) {
    if (amount(one["option"]) != static_cast<double>(option)) continue;
    const auto written = amount(one.at("offered_per_host.written_gib_per_s"));
    const auto read = amount(one.at("offered_per_host.decode_read_gib_per_s"));
    if (!written || !read || hosts.empty()) return std::nullopt;
    return (*written + *read) * static_cast<double>(kGiB) * static_cast<double>(hosts.size());
  }
  return std::nullopt;
}

void cache_timeline(Node record, const std::map<TrialName, CacheTrial>& trials, RunView& view) {
  view.timeline = timeline_of_seconds(record, "bytes moved in every second, read and written");
  if (!view.timeline) return;
  std::vector<Band> demand;
  double end = -1;
  for (const auto& [name, trial] : trials) {
    const Stretch window = {trial.start_s, trial.start_s + trial.elapsed_s};
    view.timeline->bands.push_back({window, fmt::format("option {}", trial_label(name)), 0});
    if (end >= 0 && window.from_s - end > 0.5) view.timeline->pauses.push_back({{end, window.from_s}, "pause", 0});
    end = window.to_s;
    if (const auto rate = offered_rate(record, name.first)) demand.push_back({window, "offered", *rate});
  }
  if (!demand.empty()) {
    view.timeline->demand = std::move(demand);
  } else {
    view.timeline->demand = unknown("no demand: the plan offers no rate of its own");
  }
}

void cache_load(const std::map<TrialName, CacheTrial>& trials, RunView& view) {
  std::vector<LoadPoint> points;
  for (const auto& [name, trial] : trials) {
    if (points.size() == kMostTrials) break;
    if (!trial.knows_load) continue;
    points.push_back({trial_label(name), trial.offered / trial.elapsed_s, trial.completed / trial.elapsed_s,
                      trial.knows_good ? std::optional(trial.good / trial.elapsed_s) : std::nullopt,
                      static_cast<unsigned>(name.first)});
  }
  if (points.empty()) {
    view.load = unknown("no trial was completed, or the record doesn't say how many requests it had");
  } else {
    view.load = std::move(points);
  }
}

void cache_hits(Node record, RunView& view) {
  std::vector<HitSource> sources = {{"system prompt", 0, 0},
                                    {"earlier turns", 0, 0},
                                    {"entries, to decode", 0, 0},
                                    {"documents", 0, 0},
                                    {"blocks of prompts", 0, 0}};
  const std::vector<std::string> keys = {"prefix", "earlier_turns", "decode", "documents"};
  for (const Node trial : items_of(record["trials"])) {
    for (size_t i = 0; i < keys.size(); ++i) {
      sources[i].hits += amount_or_zero(trial[keys[i]]["hits"]);
      sources[i].misses += amount_or_zero(trial[keys[i]]["misses"]);
    }
    const double hits = amount_or_zero(trial.at("replay.block_hits"));
    sources.back().hits += hits;
    sources.back().misses += std::max(0.0, amount_or_zero(trial.at("replay.block_references")) - hits);
  }
  std::erase_if(sources, [](const HitSource& source) { return !(source.hits + source.misses > 0); });
  if (sources.empty()) {
    view.hits = unknown("nothing was looked for in the cache");
  } else {
    view.hits = std::move(sources);
  }
}

void cache_heat(Node record, const std::map<TrialName, CacheTrial>& trials, RunView& view) {
  const double ranks = amount_or_zero(record.at("plan.ranks"));
  if (trials.empty()) return view.heat_maps.push_back(unknown("no trial was completed"));
  if (ranks < 1 || ranks * static_cast<double>(trials.size()) > kMostItems) {
    return view.heat_maps.push_back(unknown("the record doesn't say of how many ranks, or there are too many to draw"));
  }
  HeatMap map{"Bytes that each rank moved on storage per second, in each trial", "B/s", {}, {}, {}};
  map.rows = rank_names(record, static_cast<size_t>(ranks));
  for (const auto& [name, trial] : trials) map.columns.push_back(trial_label(name));
  map.values.resize(map.rows.size() * map.columns.size());
  size_t column = 0;
  for (const auto& [name, trial] : trials) {
    for (const auto& [rank, rate] : trial.rank_rates) set_cell(map, rank, column, rate);
    ++column;
  }
  view.heat_maps.push_back(std::move(map));
}

void cache_time(Node record, RunView& view) {
  std::vector<TimeStack> stacks;
  for (const auto& [key, name] :
       {std::pair{"storage", "I/O threads"}, std::pair{"cpu_tier", "threads of the CPU tier"}}) {
    auto stack = worker_time(name, record["operations"][key]["worker_time"], "prepare_ns", "idle_ns");
    if (stack) stacks.push_back(std::move(*stack));
  }
  if (stacks.empty()) {
    view.time = unknown("no thread moved anything");
  } else {
    view.time = std::move(stacks);
  }
}

}  // namespace

void view_kvcache(Node record, RunView& view) {
  const std::map<TrialName, CacheTrial> trials = cache_trials(record);
  cache_answer(record, view);
  cache_figures(record, view);
  cache_timeline(record, trials, view);
  cache_load(trials, view);
  cache_hits(record, view);
  cache_time(record, view);
  const Node latency = record.at("operations.storage.latency");
  view.latencies = known_latencies(
      {latency_of("operation on storage", latency["part"]), latency_of("commit of an entry", latency["commit"]),
       latency_of("operation of the CPU tier", record.at("operations.cpu_tier.latency.part"))});
  cache_heat(record, trials, view);
  view.moved = moved_bytes(record);
  if (view.moved) view.moved->remarks.emplace_back("from the page cache: not looked at by this benchmark");
  std::vector<std::pair<std::string, Node>> parts;
  for (const Node result : items_of(record["results"])) {
    if (parts.size() < 10) parts.emplace_back("option " + figure_of(result["option"]), result);
  }
  parts.emplace_back("client", record["client"]);
  view.tables.push_back(figures_table("All figures", parts));
}

}  // namespace mlps::reports::page
