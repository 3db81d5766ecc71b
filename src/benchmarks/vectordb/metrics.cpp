#include "benchmarks/vectordb/metrics.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

namespace mlps::vectordb {
namespace {

constexpr double kMillis = 1e3;
constexpr double kNanosOfMilli = 1e6;
constexpr double kMicros = 1e6;

/// Returns the value at a position of the list in which each value stands as often as it weighs.
double value_at(const std::vector<Weighted>& sorted, uint64_t position) {
  for (const Weighted& each : sorted) {
    if (position < each.weight) return each.value;
    position -= each.weight;
  }
  return sorted.empty() ? 0 : sorted.back().value;
}

double weighted_percentile(const std::vector<Weighted>& sorted, uint64_t count, double p) {
  const double position = p / 100 * static_cast<double>(count - 1);
  const auto below = static_cast<uint64_t>(position);
  const double part = position - static_cast<double>(below);
  const double low = value_at(sorted, below);
  return part == 0 ? low : low + part * (value_at(sorted, below + 1) - low);
}

void add_worker(const WorkerWindow& worker, WindowResult& result) {
  ++result.workers;
  result.searches += worker.batches.size();
  result.failed += worker.failed;
  result.answered += worker.answered;
  result.completed += worker.completed;
  result.ties += worker.ties;
  result.short_answers += worker.short_answers;
  result.recall += worker.recall_sum;
  result.recall_exact += worker.exact_sum;
  result.recall_at_1 += worker.recall1_sum;
  merge(result.cost, worker.cost);
  if (result.first_error.empty()) result.first_error = worker.first_error;
}

void finish_official(const RunRecord& record, uint32_t window, WindowResult& result) {
  Nanos first = INT64_MAX, last = INT64_MIN;
  std::vector<Weighted> amortised, batches, waited;
  for (const WorkerWindow& worker : record.workers) {
    if (worker.window != window) continue;
    for (const BatchSample& sample : worker.batches) {
      const auto begin = worker.start.monotonic_ns + static_cast<Nanos>(sample.at_ns);
      first = std::min(first, begin);
      last = std::max(last, begin + static_cast<Nanos>(sample.took_ns));
      result.official_queries += sample.queries;
      const double ms = static_cast<double>(sample.took_ns) / kNanosOfMilli;
      amortised.push_back({ms / sample.queries, sample.queries});
      batches.push_back({ms, 1});
      if (sample.ok) waited.push_back({ms, sample.queries});
    }
  }
  if (batches.empty()) return;
  result.official_s = to_seconds(last - first);
  if (result.official_s > 0) result.official_qps = static_cast<double>(result.official_queries) / result.official_s;
  result.official_latency_ms = spread_of(std::move(amortised));
  result.batch_ms = spread_of(std::move(batches));
  result.latency_ms = spread_of(std::move(waited));
}

void finish_window(const RunRecord& record, uint32_t window, WindowResult& result) {
  double cpu_s = 0;
  uint64_t device_bytes = 0;
  bool devices = false;
  for (const HostWindow& host : record.host_windows) {
    if (host.window != window) continue;
    result.window_s = std::max(result.window_s, host.seconds);
    cpu_s += host.cpu_user_s + host.cpu_system_s;
    for (const DeviceUse& use : without_partitions(host.devices)) {
      device_bytes += use.read_bytes;
      devices = true;
    }
  }
  if (result.window_s > 0) {
    result.queries_per_s = static_cast<double>(result.completed) / result.window_s;
    result.searches_per_s = static_cast<double>(result.searches - result.failed) / result.window_s;
  }
  if (result.answered == 0) return;
  const auto count = static_cast<double>(result.answered);
  result.recall /= count;
  result.recall_exact /= count;
  result.recall_at_1 /= count;
  result.cpu_us_per_query = cpu_s * kMicros / count;
  if (devices) result.device_read_bytes_per_query = static_cast<double>(device_bytes) / count;
}

/// Returns whether `device` is a partition of `disk`, by their names: sda1 of sda, nvme0n1p2 of nvme0n1.
bool is_partition(const std::string& device, const std::string& disk) {
  if (device.size() <= disk.size() || !device.starts_with(disk)) return false;
  std::string_view rest = std::string_view(device).substr(disk.size());
  const bool digit_end = std::isdigit(static_cast<unsigned char>(disk.back())) != 0;
  if (digit_end && !rest.starts_with('p')) return false;
  if (digit_end) rest.remove_prefix(1);
  return !rest.empty() && rest.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

double percentile(std::span<const double> sorted, double p) {
  if (sorted.empty()) return 0;
  const double position = p / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const double part = position - static_cast<double>(below);
  return part == 0 ? sorted[below] : sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

Spread spread_of(std::vector<Weighted> values) {
  Spread spread;
  if (values.empty()) return spread;
  std::sort(values.begin(), values.end(), [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  double sum = 0;
  for (const Weighted& each : values) {
    spread.count += each.weight;
    sum += each.value * static_cast<double>(each.weight);
  }
  const auto at = [&](double p) { return weighted_percentile(values, spread.count, p); };
  spread.min = values.front().value;
  spread.max = values.back().value;
  spread.mean = sum / static_cast<double>(spread.count);
  spread.median = at(50);
  spread.p95 = at(95);
  spread.p99 = at(99);
  spread.p999 = at(99.9);
  spread.p9999 = at(99.99);
  return spread;
}

OfficialRecall official_recall(const RunRecord& record, uint32_t window) {
  std::map<uint32_t, const FirstAnswer*> first;
  for (const WorkerWindow& worker : record.workers) {
    if (worker.window != window) continue;
    for (const FirstAnswer& answer : worker.first_answers) first.try_emplace(answer.query, &answer);
  }
  OfficialRecall recall;
  if (first.empty()) return recall;
  std::vector<double> sorted;
  for (const auto& [query, answer] : first) {
    recall.by_query.emplace_back(query, answer->recall);
    recall.mean += answer->recall;
    recall.mean_exact += answer->exact;
    sorted.push_back(answer->recall);
  }
  std::sort(sorted.begin(), sorted.end());
  recall.mean /= static_cast<double>(sorted.size());
  recall.mean_exact /= static_cast<double>(sorted.size());
  recall.min = sorted.front();
  recall.max = sorted.back();
  recall.median = percentile(sorted, 50);
  recall.p5 = percentile(sorted, 5);
  recall.p95 = percentile(sorted, 95);
  recall.p99 = percentile(sorted, 99);
  return recall;
}

WindowResult window_result(const RunRecord& record, uint32_t window) {
  WindowResult result;
  for (const WorkerWindow& worker : record.workers) {
    if (worker.window == window) add_worker(worker, result);
  }
  finish_official(record, window, result);
  finish_window(record, window, result);
  return result;
}

uint32_t official_window(const RunRecord& record) {
  for (size_t window = record.windows.size(); window-- > 0;) {
    if (record.windows[window].reached) return static_cast<uint32_t>(window);
  }
  return record.windows.empty() ? 0 : static_cast<uint32_t>(record.windows.size() - 1);
}

LoadResult load_result(const RunRecord& record) {
  LoadResult result;
  Nanos first = INT64_MAX, last = INT64_MIN;
  for (const RankLoad& load : record.loads) {
    result.assigned += load.end - load.first;
    result.inserted += load.inserted;
    first = std::min(first, load.start.monotonic_ns);
    last = std::max(last, load.finish.monotonic_ns);
  }
  if (last <= first) return result;
  result.insert_s = to_seconds(last - first);
  result.vectors_per_s = static_cast<double>(result.inserted) / result.insert_s;
  result.bytes_per_s = result.vectors_per_s * record.source.dimension * sizeof(float);
  return result;
}

std::vector<DeviceUse> without_partitions(const std::vector<DeviceUse>& devices) {
  std::vector<DeviceUse> disks;
  for (const DeviceUse& use : devices) {
    const bool part = std::any_of(devices.begin(), devices.end(),
                                  [&](const DeviceUse& other) { return is_partition(use.device, other.device); });
    if (!part) disks.push_back(use);
  }
  return disks;
}

}  // namespace mlps::vectordb
