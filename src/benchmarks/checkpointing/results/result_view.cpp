#include <fmt/format.h>

#include <functional>

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

// Enough digits to compare runs by, at any size of machine.
std::string digits(double value) {
  if (value == 0) return "0";
  if (value < 1) return fmt::format("{:.4f}", value);
  return value < 100 ? fmt::format("{:.3f}", value) : fmt::format("{:.2f}", value);
}

std::string percent(double share) {
  return fmt::format("{:.1f}", share * 100);
}

std::string mean_and_stdev(double mean, double stdev) {
  return fmt::format("{} ({})", digits(mean), digits(stdev));
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
  rows.metric("rate, total over slowest rank", "GiB/s", [](const PhaseMetrics& m) { return digits(m.gib_per_s); });
  rows.metric("rate, DLIO's mean (stdev)", "GiB/s", [](const PhaseMetrics& m) {
    return mean_and_stdev(m.parity.io_mean_gib_per_s, m.parity.io_stdev_gib_per_s);
  });
  rows.metric("duration, DLIO's mean (stdev)", "s", [](const PhaseMetrics& m) {
    return mean_and_stdev(m.parity.duration_mean_s, m.parity.duration_stdev_s);
  });
  rows.metric("slowest rank", "s", [](const PhaseMetrics& m) { return digits(m.slowest_rank_s); });
  rows.metric("fastest rank", "s", [](const PhaseMetrics& m) { return digits(m.fastest_rank_s); });
}

void add_operations(ResultRows& rows) {
  const auto part = [](double fraction) {
    return [fraction](const PhaseStats& s) {
      if (s.part_ns.count() == 0) return std::string(kNone);
      return digits(static_cast<double>(s.part_ns.percentile(fraction)) / kNanosPerMilli);
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
  rows.metric("worker time: storage (submit + wait)", "%",
              [](const PhaseMetrics& m) { return percent(m.submit_share + m.wait_share); });
  rows.metric("worker time: prepare", "%", [](const PhaseMetrics& m) { return percent(m.prepare_share); });
  rows.metric("storage waited for this client", "%",
              [](const PhaseMetrics& m) { return m.client_share ? percent(*m.client_share) : std::string(kNone); });
  rows.metric("harness overhead", "%", [](const PhaseMetrics& m) { return percent(m.harness_overhead); });
  rows.metric("barrier wait, mean", "ms", [](const PhaseMetrics& m) { return digits(m.barrier_mean_s * 1e3); });
  rows.metric("in page cache before", "%",
              [](const PhaseMetrics& m) { return m.cached_share ? percent(*m.cached_share) : std::string(kNone); });
  rows.metric("CPU", "s/GiB", [](const PhaseMetrics& m) { return digits(m.cpu_s_per_gib); });
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
  facts.add("barrier", human_seconds(to_seconds(record.barrier_cost_ns)) + " for all ranks, when nobody is late");
  return fmt::format("Result ({})\n", run::verdict_name(record.verdict)) + rows.text() + facts.text() +
         hosts_table(record.hosts) + verdict_text(record);
}

}  // namespace mlps::results
