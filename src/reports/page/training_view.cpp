#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

namespace mlps::reports::page {
namespace {

using rules::Node;

// Returns whether the run says itself that it was too short to tell anything.
bool is_too_short(Node record) {
  const std::vector<std::string> remarks = texts_of(record.at("read_plan.remarks"));
  return std::any_of(remarks.begin(), remarks.end(), [](const std::string& remark) {
    return remark.find("AU says nothing about the storage") != std::string::npos;
  });
}

std::string accelerators_text(Node record) {
  return fmt::format("{} x {}", figure_of(record.at("plan.accelerators")),
                     record.at("invocation.accelerator").text_or("accelerator"));
}

void training_answer(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  const std::string model = record.at("invocation.model").text_or("?");
  const std::string who = accelerators_text(record);
  view.title = fmt::format("Training {}, {}", model, who);
  const auto au = amount(metrics.at("au.mean"));
  const auto needed = amount(metrics["au_threshold_percent"]);
  const double planned = amount_or_zero(record.at("plan.epochs"));
  const auto done = static_cast<double>(record["epochs"].size());
  view.aside = view.verdict == "passed"
                   ? fmt::format("complete: {} x {}", counted(done, "epoch", "epochs"),
                                 counted(amount_or_zero(record.at("plan.steps_per_epoch")), "step", "steps"))
                   : fmt::format("{} of {} done", figure(done), counted(planned, "epoch", "epochs"));
  const std::string ended_by(record["ended_by"].text_or("plan"));
  if (ended_by == "time") view.aside += ", then --time was over";
  if (ended_by == "stable") view.aside += ", then steady";
  if (!au || !needed) {
    view.answer = "NO ANSWER: no epoch was completed";
  } else if (is_too_short(record)) {
    view.answer = fmt::format("NO ANSWER for {} on {}: too few files", who, model);
    view.next = "more files (see 'training datasize'), or a smaller --read-ahead";
  } else {
    const bool enough = *au >= *needed;
    view.answer_tone = enough ? Tone::kGood : Tone::kBad;
    view.answer = fmt::format("{} for {} on {}", enough ? "ENOUGH" : "NOT ENOUGH", who, model);
  }
}

std::string au_list(const std::vector<double>& values) {
  constexpr size_t kShown = 10;
  std::string text = "epochs";
  for (size_t i = 0; i < std::min(values.size(), kShown); ++i) text += fmt::format(" {:.1f}", values[i]);
  return values.size() > kShown ? text + " ..." : text;
}

// Returns how the demand comes about: "8 x 7 x 140 MiB / 162 ms", accelerators, samples of a batch, and a sample's
// bytes over the time to compute. The bytes are those really read; where the time is drawn, it is the mean.
std::string demand_text(Node record) {
  const auto batch = amount(record.at("plan.batch_size"));
  const auto ranks = amount(record.at("plan.accelerators"));
  const auto demand = amount(record.at("metrics.demand_bytes_per_s"));
  if (!batch || !ranks || !demand || !(*demand > 0)) return {};
  const double at_once = *ranks * *batch;
  const Node values = record.at("configuration.values");
  const auto typed = parse_number<double>(values["train.computation_time"]["value"].text_or(""));
  auto bytes = amount(record["record_bytes"]);
  const double seconds = typed ? *typed : at_once * bytes.value_or(0) / *demand;
  if (typed) bytes = *demand * seconds / at_once;
  return fmt::format(" ({} x {} x {} / {})", figure(*ranks), figure(*batch), bytes_text(*bytes),
                     time_text(seconds * 1e9));
}

// Returns how many accelerators the rate would feed. It is calculated: fewer of them ask for less at a time.
std::string feeds_text(Node record) {
  const auto ranks = amount(record.at("plan.accelerators"));
  const auto served = amount(record.at("metrics.served_share"));
  const auto au = amount(record.at("metrics.au.mean"));
  const auto needed = amount(record.at("metrics.au_threshold_percent"));
  if (!ranks || !served || !au || !needed || !(*needed > 0)) return {};
  const std::string type = record.at("invocation.accelerator").text_or("accelerators");
  if (*au >= *needed) return fmt::format("feeds {} {}, perhaps more", figure(*ranks), type);
  const double bound = std::floor(std::min(*ranks, *ranks * *served / (*needed / 100)));
  return bound < 1 ? fmt::format("feeds not even 1 {} (calculated)", type)
                   : fmt::format("feeds about {} {} (calculated)", figure(bound), type);
}

void training_lines(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  const auto au = amount(metrics.at("au.mean"));
  const auto needed = amount(metrics["au_threshold_percent"]);
  const auto values = metrics["au_percent"].numbers();
  AnswerLine line{"AU", {}, 1};
  line.phrases.push_back(
      fmt::format("{}, needed {}", au ? percent_to(*au, needed.value_or(0)) : "-", needed ? percent(*needed) : "-"));
  if (view.verdict != "passed" && au) line.phrases.back() += ", so far";
  if (view.answer_tone != Tone::kNeutral) view.feeds = feeds_text(record);
  if (values && values->size() > 1) line.phrases.push_back(au_list(*values));
  view.lines.push_back(std::move(line));
  const auto read = amount(metrics["read_bytes_per_s"]);
  const auto demand = amount(metrics["demand_bytes_per_s"]);
  AnswerLine throughput{"throughput", {}, 1};
  throughput.phrases.push_back(fmt::format("{} of {} wanted{}", read ? rate_text(*read) : "-",
                                           demand ? rate_text(*demand) : "-", demand_text(record)));
  view.lines.push_back(std::move(throughput));
}

void training_sure(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  const auto deviation = amount(metrics.at("au.stdev"));
  const size_t epochs = metrics["au_percent"].size();
  if (epochs > 1 && deviation) {
    view.sure.push_back(fmt::format("AU +- {:.2f} over {} epochs", *deviation, epochs));
  } else if (epochs == 1) {
    view.sure.emplace_back("1 epoch: no spread known");
  }
  view.client_share = amount(metrics.at("client_share.training"));
  for (const Node epoch : items_of(record["epochs"])) {
    const auto share = amount(epoch.at("cache.cached_share"));
    if (share) view.cached_share = std::max(view.cached_share.value_or(0), std::min(1.0, *share));
  }
  const auto au = amount(metrics.at("au.mean"));
  const auto nominal = amount(metrics.at("nominal_mib_per_s.mean"));
  view.mlperf.push_back(fmt::format("train_au_mean_percentage {}, train_au_meet_expectation {}", au ? figure(*au) : "-",
                                    metrics["train_au_meet_expectation"].text_or("-")));
  view.mlperf.push_back("train_io_mean_MB_per_second " + (nominal ? figure(*nominal) : std::string("-")));
}

void training_limit(Node record, RunView& view) {
  const Node metrics = record["metrics"];
  const auto storage = amount(metrics["storage_wait_share"]);
  const auto others = amount(metrics["barrier_share"]);
  const auto client = amount(metrics["harness_share"]);
  if (!storage || !others || !client) return;
  const double most = std::max({*storage, *others, *client});
  const bool is_near = record.at("store.file_system").boolean().value_or(true);
  const std::string_view who = record["caveats"].size() > 0 ? kNotToldApart
                               : most < 0.01                ? "nothing"
                               : most == *storage           ? (is_near ? "storage" : "storage or network")
                               : most == *client            ? "this client"
                                                            : "the slowest accelerator of each step";
  view.limit = fmt::format("{}: idle {} for data, {} for each other, {} client", who, share_text(*storage),
                           share_text(*others), share_text(*client));
  const Node latency = record.at("reading.latency.read");
  if (amount_or_zero(latency["count"]) > 0) view.limit_details.push_back("reads " + latency_text(latency));
  const auto slowest = amount(metrics["slowest_rank_au_percent"]);
  const auto fastest = amount(metrics["fastest_rank_au_percent"]);
  if (slowest && fastest && *fastest - *slowest >= 1) {
    view.limit_details.push_back(fmt::format("ranks' AU {} to {}", percent(*slowest), percent(*fastest)));
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
  training_lines(record, view);
  training_limit(record, view);
  training_sure(record, view);
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
