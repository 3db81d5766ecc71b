#include "benchmarks/checkpointing/results/dlio_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "base/version.hpp"
#include "benchmarks/checkpointing/metrics.hpp"
#include "results/host_json.hpp"
#include "results/json_text.hpp"
#include "results/record_common.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using checkpointing::CheckpointEvent;
using checkpointing::Phase;
using checkpointing::RankInterval;
using checkpointing::RunRecord;
using run::Verdict;

constexpr int kIndent = 4;
constexpr int64_t kNanosPerMicro = 1000;

// A checkpointing run has no data set; DLIO writes what its defaults would be.
constexpr uint64_t kDefaultFiles = 8;
constexpr uint64_t kDefaultRecordBytes = 65536;

// Returns what the ranks of the host with most of them would read of that data set.
double data_size_per_host_gib(const RunContext& context) {
  uint64_t ranks = 0;
  for (const RunHost& host : hosts_of(context)) ranks = std::max<uint64_t>(ranks, host.ranks);
  return to_gib(ranks * kDefaultFiles / context.processes * kDefaultRecordBytes);
}

Json metric_json(const RunRecord& record) {
  Json metric = Json::object();
  for (const auto& [phase, name] : {std::pair{Phase::kWrite, "save"}, std::pair{Phase::kRead, "load"}}) {
    const auto metrics = checkpointing::phase_metrics(record, phase);
    if (!metrics) continue;
    const std::string prefix = fmt::format("{}_checkpoint_", name);
    metric[prefix + "io_mean_GB_per_second"] = metrics->parity.io_mean_gib_per_s;
    metric[prefix + "io_stdev_GB_per_second"] = metrics->parity.io_stdev_gib_per_s;
    metric[prefix + "duration_mean_seconds"] = metrics->parity.duration_mean_s;
    metric[prefix + "duration_stdev_seconds"] = metrics->parity.duration_stdev_s;
  }
  metric["checkpoint_size_GB"] = to_gib(record.plan.checkpoint_bytes());
  return metric;
}

int64_t end_us(const RankInterval& interval) {
  return interval.start.wall_us + interval.duration_ns / kNanosPerMicro;
}

double rate(const RunRecord& record, const RankInterval& interval) {
  const double seconds = to_seconds(interval.duration_ns);
  return seconds > 0 ? to_gib(record.plan.checkpoint_bytes()) / seconds : 0;
}

std::string block_name(const CheckpointEvent& event) {
  return fmt::format("{}_ckpt{}", event.phase == Phase::kWrite ? "save" : "load", event.checkpoint);
}

const char* phase_verb(Phase phase) {
  return phase == Phase::kWrite ? "saving" : "loading";
}

std::string stats_text(const RunRecord& record,
                       const std::vector<std::pair<const CheckpointEvent*, const RankInterval*>>& blocks) {
  Json epoch;
  epoch["start"] = iso_local(record.run_start.wall_us);
  for (const auto& [event, interval] : blocks) {
    epoch[block_name(*event)] = {{"start", iso_local(interval->start.wall_us)},
                                 {"end", iso_local(end_us(*interval))},
                                 {"duration", to_seconds(interval->duration_ns)},
                                 {"throughput", rate(record, *interval)}};
  }
  if (record.verdict == run::Verdict::kPassed) epoch["end"] = iso_local(record.run_end.wall_us);
  Json stats;
  stats["1"] = std::move(epoch);
  return indented(stats, kIndent);
}

std::string metric_block(const RunRecord& record) {
  const std::string rule = fmt::format("[METRIC] {:=<58}\n", "");
  std::string text = rule;
  text += fmt::format("[METRIC] Number of Simulated Accelerators: {}\n", record.plan.processes);
  for (const auto& [phase, name] : {std::pair{Phase::kWrite, "save"}, std::pair{Phase::kRead, "load"}}) {
    const auto metrics = checkpointing::phase_metrics(record, phase);
    if (!metrics) continue;
    const checkpointing::ParityMetrics& parity = metrics->parity;
    text += fmt::format("[METRIC] Checkpoint {} duration (seconds): {:.4f} ({:.4f})\n", name, parity.duration_mean_s,
                        parity.duration_stdev_s);
    text += fmt::format("[METRIC] Checkpoint {} I/O Throughput (GiB/second): {:.4f} ({:.4f})\n", name,
                        parity.io_mean_gib_per_s, parity.io_stdev_gib_per_s);
  }
  return text + rule;
}

}  // namespace

std::string summary_text(const RunContext& context, const RunRecord& record) {
  Json json = summary_head(context, record);
  json["metric"] = metric_json(record);
  json["num_files_train"] = kDefaultFiles;
  json["num_files_eval"] = 0;
  json["num_samples_per_file"] = 1;
  add_host_lists(json, hosts_at_start(context), data_size_per_host_gib(context));
  json["epochs"] = 0;
  return indented(json, kIndent);
}

std::map<std::string, std::string> rank_output_texts(const RunContext& context, const RunRecord& record) {
  const Json empty = Json::object();
  const double data_size = data_size_per_host_gib(context);
  std::map<std::string, std::string> texts;
  for (const HostView& host : hosts_at_start(context)) {
    Json json = rank_host_json(*host.facts, data_size);
    json["1"] = {{"start", iso_local(record.run_start.wall_us)},
                 {"load", empty},
                 {"proc", empty},
                 {"throughput", empty},
                 {"au", empty},
                 {"compute", empty},
                 {"end", iso_local(record.run_end.wall_us)}};
    json["hostname"] = host.name;
    texts[host.name] = indented(json, kIndent);
  }
  return texts;
}

std::vector<std::string> rank_stats_texts(const RunRecord& record) {
  std::map<uint32_t, std::vector<std::pair<const CheckpointEvent*, const RankInterval*>>> blocks;
  for (const CheckpointEvent& event : record.events) {
    for (const RankInterval& interval : event.ranks) blocks[interval.rank].emplace_back(&event, &interval);
  }
  std::vector<std::string> texts;
  texts.reserve(record.plan.ranks.size());
  for (const checkpointing::RankPlan& rank : record.plan.ranks) texts.push_back(stats_text(record, blocks[rank.rank]));
  return texts;
}

std::string dlio_log_text(const RunRecord& record) {
  std::string text = fmt::format(
      "[OUTPUT] {} Running DLIO [Checkpoint] with {} process(es): {} by mlpstorage {} (build {})\n",
      iso_local(record.run_start.wall_us), record.plan.processes, record.plan.model, version_text(), build_id());
  text += fmt::format("[INFO] {} Checkpoint size: {:.6f} GiB (model {:.6f}, optimizer {:.6f})\n",
                      iso_local(record.run_start.wall_us), to_gib(record.plan.checkpoint_bytes()),
                      to_gib(record.plan.model_bytes), to_gib(record.plan.optimizer_bytes));
  int64_t last_us = record.run_start.wall_us;
  for (const CheckpointEvent& event : record.events) {
    for (const RankInterval& interval : event.ranks) {
      if (interval.rank != 0) continue;
      last_us = end_us(interval);
      text += fmt::format("[OUTPUT] {} Starting {} checkpoint {} for epoch 1\n", iso_local(interval.start.wall_us),
                          phase_verb(event.phase), event.checkpoint);
      text += fmt::format("[OUTPUT] {} Finished {} checkpoint {} for epoch 1 in {:.4f} s; Throughput: {:.4f} GiB/s\n",
                          iso_local(last_us), phase_verb(event.phase), event.checkpoint,
                          to_seconds(interval.duration_ns), rate(record, interval));
    }
  }
  const bool passed = record.verdict == run::Verdict::kPassed;
  return text + (passed ? metric_block(record) : no_metric_block(record, last_us));
}

}  // namespace mlps::results
