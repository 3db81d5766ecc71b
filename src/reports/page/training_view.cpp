#include <fmt/format.h>

#include <algorithm>

#include "reports/page/markup.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

namespace mlps::reports::page {
namespace {

using rules::Node;

void training_answer(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  const Node invocation = record["invocation"];
  view.title = fmt::format("Training {}, {} x {}", invocation["model"].text_or("?"),
                           figure_of(record.at("plan.accelerators")), invocation["accelerator"].text_or("accelerator"));
  const auto au = amount(metrics.at("au.mean"));
  const auto needed = amount(metrics["au_threshold_percent"]);
  if (view.verdict != "passed" || !au || !needed) {
    view.answer = au ? "no answer: the run did not come to its end as planned" : "no answer: no epoch was completed";
    return;
  }
  const std::string figures = fmt::format("AU {}, needed {}", percent(*au), percent(*needed));
  if (record["caveats"].size() > 0) {
    view.answer = fmt::format("no answer about the storage: this client was too slow ({})", figures);
    return;
  }
  const bool enough = *au >= *needed;
  view.answer_tone = enough ? Tone::kGood : Tone::kBad;
  view.answer =
      fmt::format("{} for {} x {}: {}", enough ? "enough" : "NOT ENOUGH", figure_of(record.at("plan.accelerators")),
                  invocation["accelerator"].text_or("accelerator"), figures);
}

void training_limit(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  const auto storage = amount(metrics["storage_wait_share"]);
  const auto others = amount(metrics["barrier_share"]);
  const auto client = amount(metrics["harness_share"]);
  if (!storage || !others || !client) return;
  const double idle = *storage + *others + *client;
  const double most = std::max({*storage, *others, *client});
  view.limit =
      fmt::format("accelerators idle {}: waiting for storage {}, for each other {}, for this client {}",
                  percent(100 * idle), percent(100 * *storage), percent(100 * *others), percent(100 * *client));
  if (record["caveats"].size() > 0) {
    view.limit += "; what limited them is not known, as this client was too slow";
  } else if (most < 0.01) {
    view.limit += "; nothing limited them";
  } else {
    view.limit += most == *storage  ? "; the storage limited most"
                  : most == *client ? "; this client limited most"
                                    : "; the slowest accelerator of each step limited most";
  }
}

void training_figures(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  const auto value = [&](const char* key) { return amount(metrics.at(key)); };
  const auto au = value("au.mean");
  view.key_figures.push_back({"AU", au ? percent(*au) : "-",
                              value("au.stdev") ? fmt::format("+- {} over {} epochs", percent(*value("au.stdev")),
                                                              metrics["au_percent"].size())
                                                : "no epoch was completed"});
  const auto read = value("read_bytes_per_s");
  const auto demand = value("demand_bytes_per_s");
  view.key_figures.push_back({"read", read ? rate_text(*read) : "-",
                              demand ? fmt::format("of {} wanted", rate_text(*demand)) : "demand unknown"});
  const auto samples = value("throughput.mean");
  view.key_figures.push_back({"samples", samples ? fmt::format("{}/s", figure(*samples)) : "-",
                              value("nominal_mib_per_s.mean")
                                  ? fmt::format("MLPerf: {} MiB/s", figure(*value("nominal_mib_per_s.mean")))
                                  : ""});
  const Node latency = record.at("reading.latency.read");
  view.key_figures.push_back({"read p99", time_of(latency["p99_ns"]), latency_text(latency)});
  const auto retries = amount(record.at("reading.retries"));
  view.key_figures.push_back({"retries", retries ? figure(*retries) : "-", ""});
}

void training_timeline(Node record, RunView& view) {
  view.timeline = timeline_of_seconds(record, "bytes read in every second");
  if (!view.timeline) return;
  double end = 0;
  for (const Node epoch : items_of(record["epochs"])) {
    const auto start = seconds_after_start(record, epoch["start_utc"]);
    const auto duration = amount(epoch["duration_s"]);
    if (!start || !duration) continue;
    const double number = amount_or_zero(epoch["epoch"]);
    view.timeline->bands.push_back({{*start, *start + *duration}, fmt::format("epoch {}", figure(number)), 0});
    end = std::max(end, *start + *duration);
    for (const Node saved : items_of(epoch["checkpoints"])) {
      const auto begin = seconds_after_start(record, saved["start_utc"]);
      const auto length = amount(saved["duration_ns"]);
      if (begin && length) view.timeline->pauses.push_back({{*begin, *begin + *length / 1e9}, "checkpoint saved", 0});
    }
  }
  const auto demand = amount(record.at("metrics.demand_bytes_per_s"));
  if (demand && end > 0) {
    view.timeline->demand = std::vector<Band>{{{0, end}, "demand", *demand}};
  } else {
    view.timeline->demand = unknown("no demand is known: the record has none");
  }
}

void training_epochs(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  const auto values = metrics["au_percent"].numbers();
  if (!values) {
    view.bars = unknown("no epoch was completed");
  } else {
    Bars bars{"AU of each epoch", "%", {}, {}, amount(metrics["au_threshold_percent"])};
    for (size_t i = 0; i < values->size(); ++i) bars.bars.push_back({fmt::format("{}", i + 1), (*values)[i], 1});
    view.bars = std::move(bars);
  }
}

// The AU of a rank in an epoch is the mean over its blocks, weighted by steps.
void training_heat(Node record, RunView& view) {
  const std::vector<Node> epochs = items_of(record["epochs"]);
  const double ranks = amount_or_zero(record.at("plan.accelerators"));
  if (epochs.empty()) return view.heat_maps.push_back(unknown("no epoch was completed"));
  if (ranks < 1 || ranks * static_cast<double>(epochs.size()) > kMostItems) {
    return view.heat_maps.push_back(unknown("the record doesn't say of how many ranks, or there are too many to draw"));
  }
  const auto count = static_cast<size_t>(ranks);
  HeatMap map{"AU of each rank in each epoch", "%", rank_names(record, count), {}, {}};
  map.values.resize(count * epochs.size());
  for (const Node epoch : epochs) map.columns.push_back(figure_of(epoch["epoch"]));
  for (size_t column = 0; column < epochs.size(); ++column) {
    std::vector<double> sums(count), steps(count);
    for (const Node block : items_of(epochs[column]["blocks"])) {
      for (const Node rank : items_of(block["ranks"])) {
        const auto index = amount(rank["rank"]);
        const auto au = amount(rank["au_percent"]);
        const auto weight = amount(rank["steps"]);
        if (!index || *index >= ranks || !au || !weight) continue;
        sums[static_cast<size_t>(*index)] += *au * *weight;
        steps[static_cast<size_t>(*index)] += *weight;
      }
    }
    for (size_t rank = 0; rank < count; ++rank) {
      if (steps[rank] > 0) set_cell(map, rank, column, sums[rank] / steps[rank]);
    }
  }
  view.heat_maps.push_back(std::move(map));
}

void training_time(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  std::vector<TimeStack> stacks;
  const auto computing = amount(metrics["compute_share"]);
  const auto storage = amount(metrics["storage_wait_share"]);
  const auto others = amount(metrics["barrier_share"]);
  const auto client = amount(metrics["harness_share"]);
  if (computing && storage && others && client) {
    stacks.push_back({"accelerators",
                      {{"computing", *computing, 1},
                       {"waiting for storage", *storage, 4},
                       {"waiting for each other", *others, 3},
                       {"waiting for this client", *client, 5}}});
  }
  if (auto threads = worker_time("I/O threads", record.at("reading.worker_time"), "verify_ns", "idle_ns")) {
    stacks.push_back(std::move(*threads));
  }
  if (stacks.empty()) {
    view.time = unknown("nothing was read");
  } else {
    view.time = std::move(stacks);
  }
}

// What the page cache held is known of a sample before each epoch; the share of it, of as many bytes as were read.
void training_moved(Node record, RunView& view) {
  view.moved = moved_bytes(record);
  Moved* read = direction_of(view.moved, "read");
  if (read == nullptr) return;
  double sum = 0;
  size_t known = 0;
  const std::vector<Node> epochs = items_of(record["epochs"]);
  std::string why = "nothing is known of the page cache";
  for (const Node epoch : epochs) {
    const auto share = amount(epoch.at("cache.cached_share"));
    if (share) {
      sum += std::min(1.0, *share);
      ++known;
    } else if (const auto action = epoch.at("cache.action").text()) {
      why = *action;
    }
  }
  if (known > 0 && known == epochs.size()) {
    read->cached = read->claimed * sum / static_cast<double>(known);
  } else {
    view.moved->remarks.push_back("from the page cache: " + why);
  }
}

}  // namespace

void view_training(Node record, RunView& view) {
  training_answer(record, view);
  training_limit(record, view);
  training_figures(record, view);
  training_timeline(record, view);
  training_epochs(record, view);
  training_time(record, view);
  const Node latency = record.at("reading.latency");
  view.latencies = known_latencies({latency_of("read", latency["read"]), latency_of("extent", latency["extent"]),
                                    latency_of("open", latency["open"])});
  training_heat(record, view);
  training_moved(record, view);
  view.tables.push_back(figures_table("All figures", {{"", record["metrics"]}, {"reading", record["reading"]}}));
}

}  // namespace mlps::reports::page
