#include <fmt/format.h>

#include "base/numbers.hpp"
#include "base/units.hpp"
#include "benchmarks/training/metrics.hpp"
#include "benchmarks/training/results/views.hpp"
#include "results/hosts_table.hpp"
#include "results/record_common.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using training::Epoch;
using training::GenerateRecord;
using training::Metrics;
using training::RunRecord;

constexpr size_t kResultLabelWidth = 14;

std::string share_text(double share) {
  return percent(100 * share);
}

std::string epoch_rows(const RunRecord& record) {
  std::vector<std::vector<std::string>> rows = {{"epoch", "AU %", "samples/s", "MLPerf MiB/s", "seconds", "cached %"}};
  for (const Epoch& epoch : record.epochs) {
    const auto cached = epoch.cache ? epoch.cache->cached_share() : std::nullopt;
    rows.push_back({std::to_string(epoch.number), fmt::format("{:.2f}", epoch.au), figure(epoch.throughput),
                    figure(epoch.throughput * record.record_bytes / static_cast<double>(kMiB)),
                    figure(seconds_between(epoch.start, epoch.end)),
                    cached ? fmt::format("{:.1f}", 100 * *cached) : "-"});
  }
  return aligned_rows(rows, 2);
}

std::string latency_text(const Histogram& histogram) {
  if (histogram.count() == 0) return "-";
  const auto time = [&](double fraction) { return time_text(static_cast<double>(histogram.percentile(fraction))); };
  return fmt::format("p50 {}, p99 {}, max {}", time(0.5), time(0.99), time(1.0));
}

/// The time in which the storage waited for this client.
std::string client_text(const training::ClientShares& shares) {
  const auto text = [](const std::optional<double>& share) { return share ? share_text(*share) : "-"; };
  return fmt::format("{} of the time of training was its own, {} of evaluations, {} of checkpoints",
                     text(shares.training), text(shares.evaluation), text(shares.checkpoints));
}

void add_rates(const RunRecord& record, const Metrics& metrics, LabelledLines& lines) {
  lines.add("AU", fmt::format("{} +- {:.2f}, threshold {}, over {} x {}", percent(metrics.au_overall.mean),
                              metrics.au_overall.deviation, share_text(record.au_threshold),
                              counted(static_cast<double>(record.epochs.size()), "epoch", "epochs"),
                              counted(static_cast<double>(record.plan.steps_per_epoch), "step", "steps")));
  lines.add("throughput", fmt::format("{} +- {} samples/s = MLPerf {} MiB/s (samples x mean size)",
                                      figure(metrics.throughput_overall.mean),
                                      figure(metrics.throughput_overall.deviation), figure(metrics.io_mean_mib_per_s)));
  lines.add("read",
            fmt::format("{} from storage, {}", rate_text(metrics.bytes_read_per_s), human_bytes(record.stats.bytes)));
  const double idle = metrics.storage_wait_share + metrics.barrier_share + metrics.harness_share;
  lines.add("accelerators",
            fmt::format("idle {}: waiting for storage {}, for each other {}, for this client {} ({} per "
                        "step and each)",
                        share_text(idle), share_text(metrics.storage_wait_share), share_text(metrics.barrier_share),
                        share_text(metrics.harness_share), time_text(metrics.harness_ns_per_step)));
  lines.add("this client", client_text(metrics.client));
  lines.add("ranks", fmt::format("AU {} to {}", percent(metrics.slowest_rank_au), percent(metrics.fastest_rank_au)));
  if (!metrics.eval_au.empty()) {
    lines.add("evaluation", fmt::format("AU {}, {} samples/s", percent(metrics.eval_au_overall.mean),
                                        figure(metrics.eval_throughput_overall.mean)));
  }
  if (!metrics.save_seconds.empty()) {
    lines.add("checkpoints", fmt::format("{} saved, {} s and {} GiB/s on average", metrics.save_seconds.size(),
                                         figure(training::mean_and_deviation(metrics.save_seconds).mean),
                                         figure(training::mean_and_deviation(metrics.save_gib_per_s).mean)));
  }
}

void add_reading(const RunRecord& record, LabelledLines& lines) {
  const training::ReadStats& stats = record.stats;
  lines.add("one read", latency_text(stats.part_ns));
  lines.add("one file", latency_text(stats.extent_ns) + " (asked for to last byte)");
  lines.add("retries", grouped(stats.retries));
  if (record.verify) lines.add("verified", human_bytes(stats.bytes_verified));
  for (const Epoch& epoch : record.epochs) {
    if (epoch.cache && epoch.number == 1) lines.add("page cache", epoch.cache->action);
  }
  lines.add("peak memory", human_bytes(record.peak_rss_bytes));
  lines.add("start", fmt::format("first step after {}, first read asked for at {}", human_seconds(record.start_up_s),
                                 human_seconds(record.first_byte_s)));
  if (record.barrier_cost_ns > 0) {
    lines.add("barrier cost", human_seconds(to_seconds(record.barrier_cost_ns)));
  }
}

// A run that missed its threshold is a valid measurement, and no result: so it must stand out.
std::string expectation_text(const RunRecord& record, const Metrics& metrics) {
  if (metrics.meets_expectation) return "train_au_meet_expectation: success\n";
  if (metrics.au_overall.mean >= 100 * record.au_threshold) {
    return "train_au_meet_expectation: fail: the number is not about the storage (the measurement itself is "
           "complete)\n";
  }
  return fmt::format("train_au_meet_expectation: fail: AU {} < {}: NOT ENOUGH (the measurement itself is complete)\n",
                     percent_to(metrics.au_overall.mean, 100 * record.au_threshold), share_text(record.au_threshold));
}

}  // namespace

std::string result_table(const RunRecord& record) {
  std::string text = fmt::format("Result ({})\n", run::verdict_name(record.verdict));
  if (record.epochs.empty()) return text + "  no epoch was completed\n" + verdict_text(record);
  const Metrics metrics = training::metrics_of(record);
  LabelledLines lines(kResultLabelWidth);
  add_rates(record, metrics, lines);
  add_reading(record, lines);
  if (record.ended_by != run::EndedBy::kPlan) {
    lines.add("ended",
              fmt::format("after {} of {} epochs: {}", record.epochs.size(), record.plan.epochs,
                          record.ended_by == run::EndedBy::kTime ? "--time was over" : "their rates were steady"));
  }
  text += epoch_rows(record) + lines.text() + hosts_table(record.hosts);
  if (record.verdict == run::Verdict::kPassed) text += expectation_text(record, metrics);
  return text + verdict_text(record);
}

std::string result_table(const GenerateRecord& record) {
  LabelledLines lines(kResultLabelWidth);
  lines.add("files",
            fmt::format("{} written ({} of them repaired), {} found whole, {} in all", grouped(record.files_written),
                        grouped(record.files_repaired), grouped(record.files_kept), grouped(record.files)));
  lines.add("bytes",
            fmt::format("{} written, {} found", human_bytes(record.stats.bytes), human_bytes(record.bytes_kept)));
  if (record.stats.bytes_verified > 0) lines.add("verified", human_bytes(record.stats.bytes_verified));
  lines.add("rate", record.stats.bytes == 0 || record.seconds <= 0
                        ? "-"
                        : fmt::format("{} over {}", rate_text(static_cast<double>(record.stats.bytes) / record.seconds),
                                      human_seconds(record.seconds)));
  lines.add("write", latency_text(record.stats.part_ns));
  lines.add("commit", latency_text(record.stats.commit_ns));
  lines.add("retries", grouped(record.stats.retries));
  lines.add("peak memory", human_bytes(record.peak_rss_bytes));
  return fmt::format("Result ({})\n", run::verdict_name(record.verdict)) + lines.text() + hosts_table(record.hosts) +
         verdict_text(record);
}

}  // namespace mlps::results
