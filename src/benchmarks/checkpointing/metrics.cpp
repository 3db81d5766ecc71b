#include "benchmarks/checkpointing/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace mlps::checkpointing {
namespace {

double mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// A time of zero can't be turned into a rate that means anything; zero is what we say then.
double per_second(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

double share(Nanos part, Nanos whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

const RankInterval* interval_of(const CheckpointEvent& event, uint32_t rank) {
  const auto found = std::find_if(event.ranks.begin(), event.ranks.end(),
                                  [rank](const RankInterval& interval) { return interval.rank == rank; });
  return found == event.ranks.end() ? nullptr : &*found;
}

// A checkpoint counts when every rank of the plan completed it.
std::vector<const CheckpointEvent*> completed_events(const RunRecord& record, Phase phase) {
  std::vector<const CheckpointEvent*> events;
  for (const CheckpointEvent& event : record.events) {
    if (event.phase != phase || event.ranks.empty()) continue;
    if (event.ranks.size() >= record.plan.ranks.size()) events.push_back(&event);
  }
  return events;
}

ParityMetrics parity_metrics(const std::vector<const CheckpointEvent*>& events, uint64_t checkpoint_bytes) {
  std::vector<double> durations;
  std::vector<double> rates;
  for (const CheckpointEvent* event : events) {
    const RankInterval* first = interval_of(*event, 0);
    if (first == nullptr) continue;
    durations.push_back(to_seconds(first->duration_ns));
    rates.push_back(per_second(to_gib(checkpoint_bytes), durations.back()));
  }
  return {mean(rates), population_stdev(rates), mean(durations), population_stdev(durations)};
}

void add_interval_metrics(const std::vector<const CheckpointEvent*>& events, PhaseMetrics& metrics) {
  uint64_t bytes = 0;
  Nanos slowest_sum = 0, slowest = 0, barrier = 0;
  Nanos fastest = events.front()->ranks.front().duration_ns;
  size_t intervals = 0;
  for (const CheckpointEvent* event : events) {
    Nanos slowest_rank = 0;
    for (const RankInterval& interval : event->ranks) {
      bytes += interval.bytes;
      barrier += interval.barrier_ns;
      slowest_rank = std::max(slowest_rank, interval.duration_ns);
      fastest = std::min(fastest, interval.duration_ns);
      ++intervals;
    }
    slowest = std::max(slowest, slowest_rank);
    // From the first start to the last end, so ranks that leave the barrier late can't hide time.
    slowest_sum += std::max(event->slowest_ns, slowest_rank);
  }
  metrics.gib_per_s = per_second(to_gib(bytes), to_seconds(slowest_sum));
  metrics.slowest_rank_s = to_seconds(slowest);
  metrics.fastest_rank_s = to_seconds(fastest);
  metrics.barrier_mean_s = to_seconds(barrier) / static_cast<double>(intervals);
}

void add_worker_metrics(const PhaseStats& stats, PhaseMetrics& metrics) {
  const io::Times& times = stats.times;
  const Nanos all = times.prepare_ns + times.submit_ns + times.wait_ns + times.idle_ns + times.other_ns;
  metrics.harness_overhead = share(times.exposed_ns, all);
  metrics.prepare_share = share(times.prepare_ns, all);
  metrics.submit_share = share(times.submit_ns, all);
  metrics.wait_share = share(times.wait_ns, all);
  metrics.starved_share = share(times.idle_ns, all);
  metrics.cpu_s_per_gib = stats.bytes == 0 ? 0 : (stats.cpu_user_s + stats.cpu_system_s) / to_gib(stats.bytes);
}

// Without a storage nothing can wait.
std::optional<double> client_share(const RunRecord& record, const std::vector<const CheckpointEvent*>& events) {
  if (!record.traits.holds_objects) return std::nullopt;
  Nanos client = 0, all = 0;
  for (const CheckpointEvent* event : events) {
    client += event->client_ns;
    all += event->slowest_ns;
  }
  if (all == 0) return std::nullopt;
  return share(client, all);
}

std::optional<double> cached_share(const std::vector<const CheckpointEvent*>& events) {
  uint64_t cached = 0, total = 0;
  for (const CheckpointEvent* event : events) {
    if (!event->cached_before) continue;
    cached += event->cached_before->cached_bytes;
    total += event->cached_before->total_bytes;
  }
  if (total == 0) return std::nullopt;
  return static_cast<double>(cached) / static_cast<double>(total);
}

}  // namespace

double population_stdev(const std::vector<double>& values) {
  if (values.empty()) return 0;
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

std::vector<std::string> slow_client(const RunRecord& record, double limit) {
  std::vector<std::string> sentences;
  for (const Phase phase : {Phase::kWrite, Phase::kRead}) {
    const auto share = client_share(record, completed_events(record, phase));
    if (!share || *share <= limit) continue;
    sentences.push_back(
        fmt::format("this client is too slow: {:.2f} % of the time of the checkpoints' {} the storage waited for it",
                    100 * *share, phase == Phase::kWrite ? "writing" : "reading"));
  }
  return sentences;
}

std::optional<PhaseMetrics> phase_metrics(const RunRecord& record, Phase phase) {
  const std::vector<const CheckpointEvent*> events = completed_events(record, phase);
  if (events.empty()) return std::nullopt;
  PhaseMetrics metrics;
  metrics.parity = parity_metrics(events, record.plan.checkpoint_bytes());
  add_interval_metrics(events, metrics);
  add_worker_metrics(phase == Phase::kWrite ? record.write : record.read, metrics);
  metrics.cached_share = cached_share(events);
  metrics.client_share = client_share(record, events);
  return metrics;
}

std::vector<double> rates_of(const RunRecord& record, Phase phase) {
  std::vector<double> rates;
  for (const CheckpointEvent& event : record.events) {
    if (event.phase != phase) continue;
    uint64_t bytes = 0;
    for (const RankInterval& rank : event.ranks) bytes += rank.bytes;
    rates.push_back(per_second(static_cast<double>(bytes), to_seconds(event.slowest_ns)));
  }
  return rates;
}

}  // namespace mlps::checkpointing
