#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"
#include "base/units.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

namespace mlps::reports::page {
namespace {

using rules::Node;

constexpr std::array<const char*, 2> kPhases = {"write", "read"};

struct CheckpointEvent {
  std::string label;
  Stretch when;
  double bytes = 0;
  bool writes = false;
  Node ranks;

  std::optional<double> rate() const {
    const double seconds = when.to_s - when.from_s;
    return seconds > 0 ? std::optional(bytes / seconds) : std::nullopt;
  }
};

std::vector<CheckpointEvent> checkpoint_events(Node record) {
  std::vector<CheckpointEvent> events;
  for (const Node event : items_of(record["events"])) {
    const auto start = amount(event["start_ns"]);
    const auto slowest = amount(event["slowest_ns"]);
    if (!start || !slowest) continue;
    CheckpointEvent one;
    one.writes = event["phase"].text_or("") == "write";
    one.label = fmt::format("{}{}", one.writes ? "W" : "R", figure_of(event["checkpoint"]));
    one.when = {*start / 1e9, (*start + *slowest) / 1e9};
    one.ranks = event["ranks"];
    for (const Node rank : items_of(one.ranks)) one.bytes += amount_or_zero(rank["bytes"]);
    events.push_back(std::move(one));
  }
  return events;
}

// Returns the share of the time in calls to the storage that commits took while writing, where a thread does one thing
// at a time.
std::optional<double> commit_share(Node record) {
  const Node phase = record["write"];
  const Node commit = phase.at("latency.commit");
  const auto mean = amount(commit["mean_ns"]);
  const auto count = amount(commit["count"]);
  const double storage =
      amount_or_zero(phase.at("worker_time.submit_ns")) + amount_or_zero(phase.at("worker_time.wait_ns"));
  if (record.at("store.blocking").boolean() != true || !mean || !count || !(storage > 0)) return std::nullopt;
  return std::min(1.0, *mean * *count / storage);
}

std::string checkpoints_done(Node record, bool whole) {
  std::vector<std::string> parts;
  for (const char* phase : kPhases) {
    const double planned = amount_or_zero(record[phase]["checkpoints_planned"]);
    if (planned == 0) continue;
    const std::string done = figure(amount_or_zero(record[phase]["checkpoints_done"]));
    const char* verb = phase[0] == 'w' ? "written" : "read";
    parts.push_back(whole ? fmt::format("{} {}", done, verb) : fmt::format("{} of {} {}", done, figure(planned), verb));
  }
  return join(parts, ", ");
}

// Returns what became of the bytes that were read: whether each was looked at.
std::string verified_text(Node record) {
  const auto read = amount(record.at("read.bytes"));
  const auto verified = amount(record.at("read.bytes_verified"));
  if (!read || !verified || *read == 0) return {};
  return *verified >= *read ? "every byte verified" : *verified == 0 ? "not verified" : "partly verified";
}

void checkpoint_answer(Node record, RunView& view) {
  const std::string model = record.at("plan.model").text_or("?");
  const double processes = amount_or_zero(record.at("plan.processes"));
  view.title = fmt::format("Checkpointing {}, {}", model, counted(processes, "process", "processes"));
  std::vector<std::string> rates;
  for (const char* phase : kPhases) {
    const auto rate = amount(record[phase].at("metrics.gib_per_s"));
    if (rate) rates.push_back(fmt::format("{}s {}", phase, rate_text(*rate * static_cast<double>(kGiB))));
  }
  view.answer = rates.empty() ? "NO ANSWER: no checkpoint was completed"
                              : fmt::format("Checkpoint {}: {}", model, join(rates, ", "));
  view.aside = checkpoints_done(record, view.verdict == "passed");
  const auto ended = [&](std::string_view why) {
    return record.at("write.ended_by").text_or("") == why || record.at("read.ended_by").text_or("") == why;
  };
  if (ended("time")) view.aside += ", then --time was over";
  if (ended("stable")) view.aside += ", then steady";
}

// Returns by how much the checkpoints of a phase differ in their rates.
std::string spread_text(const std::vector<CheckpointEvent>& events, bool writes) {
  double sum = 0, squares = 0, count = 0;
  for (const CheckpointEvent& event : events) {
    const auto rate = event.rate();
    if (event.writes != writes || !rate) continue;
    sum += *rate;
    squares += *rate * *rate;
    ++count;
  }
  const char* phase = writes ? "write" : "read";
  if (count == 0) return {};
  if (count == 1) return fmt::format("1 {}: no spread known", phase);
  const double mean = sum / count;
  const double deviation = std::sqrt(std::max(0.0, squares / count - mean * mean));
  return fmt::format("{}s +- {}{}", phase, share_text(deviation / mean),
                     count < 5 ? fmt::format(" ({} only)", figure(count)) : "");
}

// Says how long a checkpoint takes, and how much checkpoints differ.
void checkpoint_lines(Node record, const std::vector<CheckpointEvent>& events, RunView& view) {
  const auto bytes = amount(record.at("plan.checkpoint_bytes"));
  std::vector<std::string> parts;
  for (const char* phase : kPhases) {
    const bool writes = phase[0] == 'w';
    const auto rate = amount(record[phase].at("metrics.gib_per_s"));
    if (bytes && rate && *rate > 0) {
      const double bytes_per_s = *rate * static_cast<double>(kGiB);
      parts.push_back(fmt::format("{} {}, {}", writes ? "save" : "load", time_text(*bytes / bytes_per_s * 1e9),
                                  rate_text(bytes_per_s)));
    }
    if (std::string spread = spread_text(events, writes); !spread.empty()) view.sure.push_back(std::move(spread));
  }
  AnswerLine line{"checkpoint", {}, 1};
  line.phrases.push_back(
      fmt::format("{}: {}", bytes ? bytes_text(*bytes) : "-", parts.empty() ? "-" : join(parts, "; ")));
  view.lines.push_back(std::move(line));
  if (std::string verified = verified_text(record); !verified.empty()) view.sure.push_back(std::move(verified));
}

void checkpoint_sure(Node record, RunView& view) {
  if (const auto share = amount(record.at("read.metrics.cached_share"))) view.cached_share = std::min(1.0, *share);
  std::string names, values, factors;
  for (const char* phase : kPhases) {
    const auto share = amount(record[phase].at("metrics.client_share"));
    if (share) view.client_share = std::max(view.client_share.value_or(0), *share);
    const auto original = amount(record[phase].at("metrics.original.io_mean_gib_per_s"));
    const auto rate = amount(record[phase].at("metrics.gib_per_s"));
    if (!original || !rate || !(*rate > 0)) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", phase[0] == 'w' ? "save_" : "load_");
    values += fmt::format("{}{:.4g}", values.empty() ? " " : ", ", *original);
    factors += fmt::format("{}{:.3g}", factors.empty() ? "" : ", ", *original / *rate);
  }
  if (!names.empty()) {
    view.mlperf.push_back(names + "checkpoint_io_mean_GB_per_second" + values);
    view.mlperf.push_back(fmt::format("rank 0 only: {} x the headline", factors));
  }
}

// Names what took most of the I/O threads' time in a phase, with its share.
std::string phase_limit(Node record, const char* name) {
  const Node phase = record[name];
  const auto stack = worker_time(name, phase["worker_time"], "prepare_ns", "starved_ns");
  if (!stack) return {};
  const bool is_near = record.at("store.file_system").boolean().value_or(true);
  const double storage = stack->shares[0].share;
  const double client = stack->shares[1].share + stack->shares[2].share;
  const double idle = stack->shares[3].share;
  const auto commits = std::string_view(name) == "write" ? commit_share(record) : std::nullopt;
  std::string_view who = is_near ? "storage" : "storage or network";
  if (commits && *commits >= 0.5) who = is_near ? "fsync" : "commits";
  if (client > storage && client > idle) who = "this client";
  if (idle > storage && idle > client) who = "the slowest rank";
  std::string text = fmt::format("{} when {} (I/O threads: storage {}", who,
                                 std::string_view(name) == "write" ? "writing" : "reading", share_text(storage));
  if (commits && *commits >= 0.005) text += fmt::format(", {} of it fsync", share_text(*commits));
  return text + fmt::format(", client {}, idle {})", share_text(client), share_text(idle));
}

void checkpoint_limit(Node record, RunView& view) {
  for (const char* name : kPhases) {
    const std::string text = phase_limit(record, name);
    if (!text.empty()) (view.limit.empty() ? view.limit : view.limit_details.emplace_back()) = text;
  }
  for (const char* name : kPhases) {
    const Node latency = record[name].at("latency.part");
    if (amount_or_zero(latency["count"]) > 0)
      view.limit_details.push_back(fmt::format("{} of a part {}", name, latency_text(latency)));
  }
}

void checkpoint_figures(Node record, RunView& view) {
  for (const char* name : kPhases) {
    const Node phase = record[name];
    if (!phase.has_value()) {
      view.key_figures.push_back({name, "-", "neither planned nor done"});
      continue;
    }
    const Node metrics = phase["metrics"];
    const auto rate = amount(metrics["gib_per_s"]);
    const auto original = amount(metrics.at("original.io_mean_gib_per_s"));
    view.key_figures.push_back(
        {name, rate ? figure(*rate) + " GiB/s" : "-",
         fmt::format(
             "{} of {} checkpoints; {}", figure_of(phase["checkpoints_done"]), figure_of(phase["checkpoints_planned"]),
             original ? fmt::format("MLPerf (rank 0's time): {} GiB/s", figure(*original)) : "none completed")});
    const Node latency = phase.at("latency.part");
    view.key_figures.push_back(
        {fmt::format("{} p99", name), time_of(latency["p99_ns"]), "of a part: " + latency_text(latency)});
  }
  const auto bytes = amount(record.at("plan.checkpoint_bytes"));
  const auto objects = amount(record.at("plan.objects_per_checkpoint"));
  view.key_figures.push_back(
      {"one checkpoint", bytes ? bytes_text(*bytes) : "-", objects ? counted(*objects, "object", "objects") : ""});
}

void checkpoint_timeline(Node record, const std::vector<CheckpointEvent>& events, RunView& view) {
  if (events.empty()) {
    view.timeline = unknown("no checkpoint was completed");
    return;
  }
  Timeline timeline;
  timeline.what = "rate of every checkpoint, from its first rank's start to its last one's end";
  timeline.parted = true;
  const double pause = amount_or_zero(record.at("plan.pause_s"));
  double end = 0;
  for (const CheckpointEvent& event : events) {
    if (const auto rate = event.rate()) timeline.segments.push_back({event.when, *rate, event.writes});
    timeline.bands.push_back({event.when, event.label, 0});
    if (pause > 0 && event.when.from_s - end >= pause / 2)
      timeline.pauses.push_back({{end, event.when.from_s}, "pause", 0});
    end = event.when.to_s;
  }
  timeline.demand = unknown("no demand: a checkpoint takes all that the storage gives");
  double retries = 0;
  for (const char* phase : kPhases) retries += amount_or_zero(record[phase]["retries"]);
  if (retries > 0) {
    timeline.retries = unknown(counted(retries, "retry", "retries") + "; the record doesn't say when");
  } else {
    timeline.retries = std::vector<Retries>();
  }
  view.timeline = std::move(timeline);
}

void checkpoint_rates(const std::vector<CheckpointEvent>& events, RunView& view) {
  if (events.empty()) {
    view.bars = unknown("no checkpoint was completed");
    return;
  }
  Bars bars{"Rate of each checkpoint", "B/s", {}, {"write", "read"}, {}};
  for (const CheckpointEvent& event : events) bars.bars.push_back({event.label, event.rate(), event.writes ? 1U : 2U});
  view.bars = std::move(bars);
}

void checkpoint_heat(Node record, const std::vector<CheckpointEvent>& events, bool writes, RunView& view) {
  const double ranks = amount_or_zero(record.at("plan.processes"));
  HeatMap map{writes ? "Rate of each rank in each write" : "Rate of each rank in each read", "B/s", {}, {}, {}};
  std::vector<const CheckpointEvent*> own;
  for (const CheckpointEvent& event : events) {
    if (event.writes == writes) own.push_back(&event);
  }
  if (own.empty()) return;
  if (ranks < 1 || ranks * static_cast<double>(own.size()) > kMostItems) {
    return view.heat_maps.push_back(unknown("the record doesn't say of how many ranks, or there are too many to draw"));
  }
  map.rows = rank_names(record, static_cast<size_t>(ranks));
  for (const CheckpointEvent* event : own) map.columns.push_back(event->label);
  map.values.resize(map.rows.size() * map.columns.size());
  for (size_t column = 0; column < own.size(); ++column) {
    for (const Node rank : items_of(own[column]->ranks)) {
      const auto index = amount(rank["rank"]);
      const auto bytes = amount(rank["bytes"]);
      const auto duration = amount(rank["duration_ns"]);
      if (!index || *index >= ranks || !bytes || !duration || *duration <= 0) continue;
      set_cell(map, static_cast<size_t>(*index), column, *bytes / (*duration / 1e9));
    }
  }
  view.heat_maps.push_back(std::move(map));
}

void checkpoint_time(Node record, RunView& view) {
  std::vector<TimeStack> stacks;
  for (const char* name : kPhases) {
    const Node phase = record[name];
    auto stack = worker_time(fmt::format("I/O threads, {}", name), phase["worker_time"], "prepare_ns", "starved_ns");
    if (!stack) continue;
    if (const auto share = std::string_view(name) == "write" ? commit_share(record) : std::nullopt) {
      const double storage = stack->shares[0].share;
      stack->shares[0] = {"in other calls to the storage", storage * (1 - *share), 7};
      stack->shares.insert(stack->shares.begin(), {"in commits (fsync)", storage * *share, 2});
    }
    stacks.push_back(std::move(*stack));
  }
  if (stacks.empty()) {
    view.time = unknown("no thread moved anything");
  } else {
    view.time = std::move(stacks);
  }
}

void checkpoint_moved(Node record, RunView& view) {
  view.moved = moved_bytes(record);
  Moved* read = direction_of(view.moved, "read");
  if (read == nullptr) return;
  const auto share = amount(record.at("read.metrics.cached_share"));
  if (share) {
    read->cached = read->claimed * std::min(1.0, *share);
  } else {
    const std::string eviction = record["eviction"].text_or("nothing is known");
    view.moved->remarks.push_back("from the page cache: " + eviction);
  }
}

}  // namespace

void view_checkpointing(Node record, RunView& view) {
  checkpoint_answer(record, view);
  const std::vector<CheckpointEvent> events = checkpoint_events(record);
  checkpoint_lines(record, events, view);
  checkpoint_limit(record, view);
  checkpoint_sure(record, view);
  checkpoint_figures(record, view);
  checkpoint_timeline(record, events, view);
  checkpoint_rates(events, view);
  checkpoint_time(record, view);
  const Node write = record.at("write.latency");
  const Node read = record.at("read.latency");
  view.latencies =
      known_latencies({latency_of("write of a part", write["part"]), latency_of("read of a part", read["part"]),
                       latency_of("commit of an object", write["commit"])});
  checkpoint_heat(record, events, true, view);
  checkpoint_heat(record, events, false, view);
  if (view.heat_maps.empty()) view.heat_maps.push_back(unknown("no checkpoint was completed"));
  checkpoint_moved(record, view);
  std::vector<std::pair<std::string, Node>> parts;
  for (const char* name : kPhases) parts.emplace_back(name, record[name]);
  view.tables.push_back(figures_table("All figures", parts));
}

}  // namespace mlps::reports::page
