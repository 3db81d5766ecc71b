#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/numbers.hpp"
#include "base/units.hpp"
#include "benchmarks/checkpointing/metrics.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "results/hosts_table.hpp"
#include "results/record_common.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using checkpointing::Phase;
using checkpointing::PhaseMetrics;
using checkpointing::PhaseStats;
using checkpointing::RunRecord;

constexpr const char* kNone = "-";
constexpr double kNanosPerMilli = 1e6;

std::string percent(double share) {
  return fmt::format("{:.1f}", share * 100);
}

std::string mean_and_stdev(double mean, double stdev) {
  return fmt::format("{} ({})", figure(mean), figure(stdev));
}

// The two columns of a phase each; a phase that did not happen has dashes.
class ResultRows {
 public:
  explicit ResultRows(const RunRecord& record)
      : record_(record),
        write_(checkpointing::phase_metrics(record, Phase::kWrite)),
        read_(checkpointing::phase_metrics(record, Phase::kRead)) {}

  void heading() { rows_.push_back({"", "", "write", "read"}); }

  void metric(const char* label, const char* unit, const std::function<std::string(const PhaseMetrics&)>& text) {
    rows_.push_back({label, unit, write_ ? text(*write_) : kNone, read_ ? text(*read_) : kNone});
  }

  void counter(const char* label, const char* unit, const std::function<std::string(const PhaseStats&)>& text) {
    rows_.push_back({label, unit, happened(record_.write) ? text(record_.write) : kNone,
                     happened(record_.read) ? text(record_.read) : kNone});
  }

  void checkpoints() {
    uint32_t written = 0, read = 0;
    for (const auto& event : record_.events) ++(event.phase == Phase::kWrite ? written : read);
    rows_.push_back({"checkpoints done", "", fmt::format("{} of {}", written, record_.plan.checkpoints_to_write),
                     fmt::format("{} of {}", read, record_.plan.checkpoints_to_read)});
  }

  std::string text() const { return aligned_rows(rows_, 2); }

 private:
  static bool happened(const PhaseStats& stats) { return stats.bytes > 0 || stats.parts > 0 || stats.retries > 0; }

  const RunRecord& record_;
  std::optional<PhaseMetrics> write_, read_;
  std::vector<std::vector<std::string>> rows_;
};

void add_rates(ResultRows& rows) {
  rows.metric("throughput (all bytes / slowest rank)", "GiB/s",
              [](const PhaseMetrics& m) { return figure(m.gib_per_s); });
  rows.metric("throughput as MLPerf defines it (rank 0's), mean (stdev)", "GiB/s", [](const PhaseMetrics& m) {
    return mean_and_stdev(m.parity.io_mean_gib_per_s, m.parity.io_stdev_gib_per_s);
  });
  rows.metric("duration of rank 0, mean (stdev)", "s", [](const PhaseMetrics& m) {
    return mean_and_stdev(m.parity.duration_mean_s, m.parity.duration_stdev_s);
  });
  rows.metric("slowest rank", "s", [](const PhaseMetrics& m) { return figure(m.slowest_rank_s); });
  rows.metric("fastest rank", "s", [](const PhaseMetrics& m) { return figure(m.fastest_rank_s); });
}

void add_operations(ResultRows& rows) {
  const auto part = [](double fraction) {
    return [fraction](const PhaseStats& s) {
      if (s.part_ns.count() == 0) return std::string(kNone);
      return figure(static_cast<double>(s.part_ns.percentile(fraction)) / kNanosPerMilli);
    };
  };
  rows.counter("part latency p50", "ms", part(0.50));
  rows.counter("part latency p99", "ms", part(0.99));
  rows.counter("part latency max", "ms", part(1.0));
  rows.counter("retries", "", [](const PhaseStats& s) { return grouped(s.retries); });
  rows.counter("bytes moved", "bytes", [](const PhaseStats& s) { return grouped(s.bytes); });
  rows.counter("bytes verified", "bytes", [](const PhaseStats& s) { return grouped(s.bytes_verified); });
}

void add_costs(ResultRows& rows) {
  rows.metric("I/O threads: in storage calls", "%",
              [](const PhaseMetrics& m) { return percent(m.submit_share + m.wait_share); });
  rows.metric("  making or checking data", "%", [](const PhaseMetrics& m) { return percent(m.prepare_share); });
  rows.metric("  idle", "%", [](const PhaseMetrics& m) { return percent(m.starved_share); });
  rows.metric("  other", "%", [](const PhaseMetrics& m) {
    return percent(std::max(0.0, 1 - m.submit_share - m.wait_share - m.prepare_share - m.starved_share));
  });
  rows.metric("storage waited for this client", "%",
              [](const PhaseMetrics& m) { return m.client_share ? percent(*m.client_share) : std::string(kNone); });
  rows.metric("client overhead", "%", [](const PhaseMetrics& m) { return percent(m.harness_overhead); });
  rows.metric("barrier wait, mean", "ms", [](const PhaseMetrics& m) { return figure(m.barrier_mean_s * 1e3); });
  rows.metric("cached before reading", "%",
              [](const PhaseMetrics& m) { return m.cached_share ? percent(*m.cached_share) : std::string(kNone); });
  rows.metric("CPU", "s/GiB", [](const PhaseMetrics& m) { return figure(m.cpu_s_per_gib); });
}

}  // namespace

std::string result_table(const RunRecord& record) {
  ResultRows rows(record);
  rows.heading();
  rows.checkpoints();
  add_rates(rows);
  add_operations(rows);
  add_costs(rows);

  LabelledLines facts(12);
  facts.add("page cache", record.eviction.empty() ? std::string_view("nothing evicted") : record.eviction);
  facts.add("peak memory", human_bytes(record.peak_rss_bytes));
  facts.add("first byte", human_seconds(record.first_byte_s) + " after start");
  facts.add("barrier cost", human_seconds(to_seconds(record.barrier_cost_ns)));
  return fmt::format("Result ({})\n", run::verdict_name(record.verdict)) + rows.text() + facts.text() +
         hosts_table(record.hosts) + verdict_text(record);
}

}  // namespace mlps::results
