#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/numbers.hpp"
#include "base/text.hpp"
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
    sum.good += within.value_or(0);
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

constexpr size_t kMostOptionLines = 4;

// Returns what a run was asked to serve: "5 users", "2 ranks".
std::string cache_load_text(Node record) {
  const double ranks = amount_or_zero(record.at("plan.ranks"));
  const auto options = items_of(record.at("plan.options"));
  const auto users = options.size() == 1 ? amount(options.front()["users_per_rank"]) : std::nullopt;
  if (users && !record.at("plan.replay").is_object()) return counted(*users * ranks, "user", "users");
  return counted(ranks, "rank", "ranks");
}

std::string attained_text(Node result) {
  const auto attained = amount(result["attainment"]);
  return attained ? share_text(*attained) : std::string("-");
}

// Returns what a percentile of reads is about: "an entry", with its mean size where that is known.
std::string entry_text(Node result) {
  const auto bytes = amount(result["entry_read_mean_bytes"]);
  return bytes ? fmt::format("an entry of {}", bytes_text(*bytes)) : std::string("an entry");
}

void cache_answer(Node record, RunView& view) {
  const std::string model = record.at("invocation.model").text_or("?");
  view.title = fmt::format("KV cache {}, {}", model, cache_load_text(record));
  const std::vector<Node> results = items_of(record["results"]);
  const double planned =
      amount_or_zero(record.at("plan.trials")) * static_cast<double>(record.at("plan.options").size());
  view.aside = view.verdict == "passed" ? "complete: " + counted(planned, "trial", "trials")
                                        : fmt::format("{} planned", counted(planned, "trial", "trials"));
  if (results.empty()) {
    view.answer = "NO ANSWER: no trial was completed";
  } else if (results.size() == 1) {
    view.answer = fmt::format("KV cache {}, {}: {} of requests in time", model, cache_load_text(record),
                              attained_text(results.front()));
  } else {
    std::vector<std::string> parts;
    for (const Node result : results) {
      if (parts.size() < kMostOptionLines) parts.push_back(attained_text(result));
    }
    view.answer = fmt::format("KV cache, options 1 to {}: {} of requests in time", results.size(), join(parts, ", "));
  }
}

void cache_lines(Node record, RunView& view) {
  const std::vector<Node> results = items_of(record["results"]);
  for (const Node result : results) {
    if (view.lines.size() == kMostOptionLines) break;
    const auto rate = [&](const char* key) {
      const auto gib = amount(result[key]);
      return gib ? rate_text(*gib * static_cast<double>(kGiB)) : std::string("-");
    };
    const auto hits = amount(result["hit_rate"]);
    const auto p95 = amount(result["entry_read_p95_ms"]);
    AnswerLine line{"option " + figure_of(result["option"]), {}, results.size() == 1 ? 2U : 1U};
    line.phrases.push_back(
        fmt::format("read {}, written {}", rate("storage_read_gib_per_s"), rate("storage_write_gib_per_s")));
    line.phrases.push_back(fmt::format("{} of {} requests/s in time", figure_of(result["good_requests_per_s"]),
                                       figure_of(result["requests_per_s"])));
    line.phrases.push_back(fmt::format("hits {}", hits ? share_text(*hits) : "-"));
    line.phrases.push_back(
        fmt::format("read of {} p95 {}", entry_text(result), p95 ? time_text(*p95 * 1e6) : std::string("-")));
    view.lines.push_back(std::move(line));
  }
}

void cache_limit(Node record, RunView& view) {
  const auto stack = worker_time("", record.at("operations.storage.worker_time"), "prepare_ns", "idle_ns");
  if (!stack) return;
  const double storage = stack->shares[0].share;
  const double client = stack->shares[1].share + stack->shares[2].share;
  const double idle = stack->shares[3].share;
  const bool is_near = record.at("store.file_system").boolean().value_or(true);
  const std::string_view who = record["caveats"].size() > 0 ? kNotToldApart
                               : idle >= 0.5                ? "the load offered"
                               : client > storage           ? "this client"
                               : is_near                    ? "storage"
                                                            : "storage or network";
  view.limit = fmt::format("{}: I/O threads {} in storage calls, {} client, {} idle", who, share_text(storage),
                           share_text(client), share_text(idle));
  view.limit_details.push_back("operations " + latency_text(record.at("operations.storage.latency.part")));
}

// Returns by how much the trials of an option differ in what they moved; the most of all options.
std::string trial_spread(const std::map<TrialName, CacheTrial>& trials) {
  std::map<size_t, std::vector<double>> rates;
  for (const auto& [name, trial] : trials) {
    double rate = 0;
    for (const auto& [rank, one] : trial.rank_rates) rate += one;
    if (rate > 0) rates[name.first].push_back(rate);
  }
  std::optional<double> most;
  size_t least_trials = SIZE_MAX;
  for (const auto& [option, values] : rates) {
    least_trials = std::min(least_trials, values.size());
    if (values.size() < 2) continue;
    double sum = 0, squares = 0;
    for (const double value : values) {
      sum += value;
      squares += value * value;
    }
    const auto count = static_cast<double>(values.size());
    const double mean = sum / count;
    most = std::max(most.value_or(0), std::sqrt(std::max(0.0, squares / count - mean * mean)) / mean);
  }
  if (most) return fmt::format("rates +- {} over {} trials", share_text(*most), least_trials);
  return rates.empty() ? std::string() : "1 trial: no spread known";
}

void cache_sure(Node record, const std::map<TrialName, CacheTrial>& trials, RunView& view) {
  if (std::string spread = trial_spread(trials); !spread.empty()) view.sure.push_back(std::move(spread));
  view.client_share = amount(record.at("client.share"));
  const std::vector<Node> results = items_of(record["results"]);
  if (results.empty()) return;
  // The names and units of the reference implementation: GB there are 2^30 bytes.
  view.mlperf.push_back("aggregated_read_bandwidth_gbps " + figure_of(results.front()["storage_read_gib_per_s"]));
  view.mlperf.push_back("aggregated_write_bandwidth_gbps " + figure_of(results.front()["storage_write_gib_per_s"]));
}

void cache_figures(Node record, RunView& view) {
  for (const Node result : items_of(record["results"])) {
    if (view.key_figures.size() >= 6) break;
    const auto hits = amount(result["hit_rate"]);
    view.key_figures.push_back(
        {fmt::format("option {}, storage", figure_of(result["option"])),
         fmt::format("{} + {} GiB/s", figure_of(result["storage_read_gib_per_s"]),
                     figure_of(result["storage_write_gib_per_s"])),
         fmt::format("read + written; {} of {} requests/s in time; hit rate {}; read of {} p95 {} ms",
                     figure_of(result["good_requests_per_s"]), figure_of(result["requests_per_s"]),
                     hits ? percent(100 * *hits) : "-", entry_text(result), figure_of(result["entry_read_p95_ms"]))});
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
  cache_lines(record, view);
  cache_limit(record, view);
  cache_sure(record, trials, view);
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
