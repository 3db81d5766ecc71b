#include <fmt/format.h>

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
constexpr double kNanosPerMilli = 1e6;
constexpr double kNanosPerMicrosecond = 1e3;

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

std::string epoch_rows(const RunRecord& record) {
  std::vector<std::vector<std::string>> rows = {{"epoch", "AU %", "samples/s", "nominal MiB/s", "seconds", "cached %"}};
  for (const Epoch& epoch : record.epochs) {
    const auto cached = epoch.cache ? epoch.cache->cached_share() : std::nullopt;
    rows.push_back({std::to_string(epoch.number), fmt::format("{:.3f}", epoch.au),
                    fmt::format("{:.2f}", epoch.throughput),
                    fmt::format("{:.1f}", epoch.throughput * record.record_bytes / static_cast<double>(kMiB)),
                    fmt::format("{:.2f}", seconds_between(epoch.start, epoch.end)),
                    cached ? fmt::format("{:.1f}", 100 * *cached) : "-"});
  }
  return aligned_rows(rows, 2);
}

std::string latency_text(const Histogram& histogram) {
  if (histogram.count() == 0) return "-";
  const auto ms = [&](double fraction) { return static_cast<double>(histogram.percentile(fraction)) / kNanosPerMilli; };
  return fmt::format("p50 {:.3f} ms, p99 {:.3f} ms, max {:.3f} ms", ms(0.5), ms(0.99), ms(1.0));
}

/// The time in which the storage waited for this client.
std::string client_text(const training::ClientShares& shares) {
  const auto text = [](const std::optional<double>& share) { return share ? percent(*share) : "-"; };
  return fmt::format("{} of the time of training was its own, {} of evaluations, {} of checkpoints",
                     text(shares.training), text(shares.evaluation), text(shares.checkpoints));
}

void add_rates(const RunRecord& record, const Metrics& metrics, LabelledLines& lines) {
  lines.add("AU", fmt::format("{:.4f} % ({:.4f}), threshold {:.2f} %, over {} epochs x {} steps",
                              metrics.au_overall.mean, metrics.au_overall.deviation, 100 * record.au_threshold,
                              record.epochs.size(), grouped(record.plan.steps_per_epoch)));
  lines.add("throughput",
            fmt::format("{:.4f} ({:.4f}) samples/s = {:.4f} MiB/s nominally", metrics.throughput_overall.mean,
                        metrics.throughput_overall.deviation, metrics.io_mean_mib_per_s));
  lines.add("really read", fmt::format("{:.1f} MiB/s, {}", metrics.bytes_read_per_s / static_cast<double>(kMiB),
                                       human_bytes(record.stats.bytes)));
  lines.add("accelerators",
            fmt::format("waited for data {}, for one another {}, for this program {} ({:.2f} us per step and each)",
                        percent(metrics.storage_wait_share), percent(metrics.barrier_share),
                        percent(metrics.harness_share), metrics.harness_ns_per_step / kNanosPerMicrosecond));
  lines.add("this client", client_text(metrics.client));
  lines.add("ranks", fmt::format("AU from {:.3f} % to {:.3f} %", metrics.slowest_rank_au, metrics.fastest_rank_au));
  if (!metrics.eval_au.empty()) {
    lines.add("evaluation", fmt::format("AU {:.4f} %, {:.2f} samples/s", metrics.eval_au_overall.mean,
                                        metrics.eval_throughput_overall.mean));
  }
  if (!metrics.save_seconds.empty()) {
    lines.add("checkpoints", fmt::format("{} saved, {:.3f} s and {:.3f} GiB/s on average", metrics.save_seconds.size(),
                                         training::mean_and_deviation(metrics.save_seconds).mean,
                                         training::mean_and_deviation(metrics.save_gib_per_s).mean));
  }
}

void add_reading(const RunRecord& record, LabelledLines& lines) {
  const training::ReadStats& stats = record.stats;
  lines.add("read", latency_text(stats.part_ns));
  lines.add("extent", latency_text(stats.extent_ns));
  lines.add("retries", grouped(stats.retries));
  if (record.verify) lines.add("verified", human_bytes(stats.bytes_verified));
  for (const Epoch& epoch : record.epochs) {
    if (epoch.cache && epoch.number == 1) lines.add("page cache", epoch.cache->action);
  }
  lines.add("peak memory", human_bytes(record.peak_rss_bytes));
  lines.add("first byte", fmt::format("asked for {} after start; the first step began after {}",
                                      human_seconds(record.first_byte_s), human_seconds(record.start_up_s)));
  if (record.barrier_cost_ns > 0) {
    lines.add("barrier", human_seconds(to_seconds(record.barrier_cost_ns)) + " for all hosts, when nobody is late");
  }
}

// A run that missed its threshold is a valid measurement, and no result: so it must stand out.
std::string expectation_text(const RunRecord& record, const Metrics& metrics) {
  if (metrics.meets_expectation) return "train_au_meet_expectation: success\n";
  if (metrics.au_overall.mean >= 100 * record.au_threshold) {
    return "train_au_meet_expectation: fail  ***  the number is not about the storage: no valid result  ***\n";
  }
  return fmt::format("train_au_meet_expectation: fail  ***  AU {:.4f} % is below {:.2f} %: no valid result  ***\n",
                     metrics.au_overall.mean, 100 * record.au_threshold);
}

}  // namespace

std::string result_table(const RunRecord& record) {
  std::string text = fmt::format("Result ({})\n", run::verdict_name(record.verdict));
  if (record.epochs.empty()) return text + "  no epoch was completed\n" + verdict_text(record);
  const Metrics metrics = training::metrics_of(record);
  LabelledLines lines(kResultLabelWidth);
  add_rates(record, metrics, lines);
  add_reading(record, lines);
  if (record.ended_by != training::EndedBy::kPlan) {
    lines.add("ended",
              fmt::format("after {} of {} epochs: {}", record.epochs.size(), record.plan.epochs,
                          record.ended_by == training::EndedBy::kTime ? "--time was over" : "their rates were steady"));
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
                        : fmt::format("{:.3f} GiB/s over {}", to_gib(record.stats.bytes) / record.seconds,
                                      human_seconds(record.seconds)));
  lines.add("write", latency_text(record.stats.part_ns));
  lines.add("commit", latency_text(record.stats.commit_ns));
  lines.add("retries", grouped(record.stats.retries));
  lines.add("peak memory", human_bytes(record.peak_rss_bytes));
  return fmt::format("Result ({})\n", run::verdict_name(record.verdict)) + lines.text() + hosts_table(record.hosts) +
         verdict_text(record);
}

}  // namespace mlps::results
