#include "benchmarks/training/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace mlps::training {
namespace {

double per_second(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// A rank's values of an epoch: means over its blocks, weighted by their steps.
struct RankRates {
  double au = 0;
  double throughput = 0;
};

RankRates rates_of(const Epoch& epoch, size_t rank) {
  RankRates rates;
  uint64_t steps = 0;
  for (const Block& block : epoch.blocks) {
    if (rank >= block.ranks.size()) continue;
    const RankBlock& part = block.ranks[rank];
    rates.au += part.au * static_cast<double>(part.steps);
    rates.throughput += part.throughput * static_cast<double>(part.steps);
    steps += part.steps;
  }
  if (steps == 0) return {};
  return {rates.au / static_cast<double>(steps), rates.throughput / static_cast<double>(steps)};
}

size_t ranks_of(const Epoch& epoch) {
  return epoch.blocks.empty() ? 0 : epoch.blocks.front().ranks.size();
}

// All ranks of a block begin together and end together: the longest span, each by the clock of its own host. Moments of
// different hosts are not compared, since their clocks drift apart over hours.
Nanos wall_of(const Block& block) {
  Nanos wall = 0;
  for (const RankBlock& rank : block.ranks) wall = std::max(wall, rank.end.monotonic_ns - rank.start.monotonic_ns);
  return wall;
}

// Where the accelerators' time went; every nanosecond of every rank's blocks is in one of the parts, or in compute.
void add_shares(const RunRecord& record, Metrics& metrics) {
  Nanos wall = 0, rank_time = 0, drawn = 0, wait = 0, barrier = 0, harness = 0, overhead = 0;
  size_t ranks = 0;
  uint64_t rank_steps = 0, bytes = 0;
  for (const Epoch& epoch : record.epochs) {
    bytes += epoch.training_bytes;
    for (const Block& block : epoch.blocks) {
      wall += wall_of(block);
      overhead += block.client.overhead_ns;
      ranks = block.ranks.size();
      for (const RankBlock& rank : block.ranks) {
        rank_time += rank.end.monotonic_ns - rank.start.monotonic_ns;
        drawn += rank.drawn_ns;
        wait += rank.wait_ns;
        barrier += rank.barrier_ns;
        harness += rank.harness_ns;
        rank_steps += rank.steps;
      }
    }
  }
  metrics.bytes_read_per_s = per_second(static_cast<double>(bytes), to_seconds(wall));
  if (drawn > 0) {
    metrics.demand_bytes_per_s = static_cast<double>(bytes) * static_cast<double>(ranks) / to_seconds(drawn);
    metrics.served_share = metrics.bytes_read_per_s / metrics.demand_bytes_per_s;
  }
  if (rank_time > 0) {
    const auto all = static_cast<double>(rank_time);
    metrics.compute_share = static_cast<double>(rank_time - wait - barrier - harness) / all;
    metrics.storage_wait_share = static_cast<double>(wait) / all;
    metrics.barrier_share = static_cast<double>(barrier) / all;
    metrics.harness_share = static_cast<double>(harness) / all;
  }
  if (rank_steps > 0) {
    metrics.harness_ns_per_step = static_cast<double>(overhead) / static_cast<double>(rank_steps);
  }
}

/// Time of a client out of time, summed over stretches.
class Share {
 public:
  void add(const ClientTime& time, double late_share_of_waits) {
    wall_ += static_cast<double>(time.wall_ns);
    own_ += static_cast<double>(time.overhead_ns) + static_cast<double>(time.wait_ns) * late_share_of_waits;
  }
  std::optional<double> value() const { return wall_ > 0 ? std::optional(own_ / wall_) : std::nullopt; }

 private:
  double wall_ = 0, own_ = 0;
};

/// How much longer the accelerators computed than they should have, and what the hosts say about it.
std::string slowness(const RunRecord& record) {
  Nanos drawn = 0, measured = 0;
  world::CpuPressure pressure{0, 0, 0, 0, 0};
  for (const Epoch& epoch : record.epochs) {
    merge(pressure, epoch.pressure);
    for (const Block& block : epoch.blocks) {
      for (const RankBlock& rank : block.ranks) {
        drawn += rank.drawn_ns;
        measured += rank.compute_ns;
      }
    }
  }
  std::string text;
  if (drawn > 0) {
    text = fmt::format("; the accelerators computed {:.3f} times as long as they should have",
                       static_cast<double>(measured) / static_cast<double>(drawn));
  }
  const auto add = [&](const std::optional<Nanos>& time, const char* what) {
    if (time.value_or(0) > 0) text += fmt::format("; {} {}", what, human_seconds(to_seconds(*time)));
  };
  add(pressure.throttled_ns, "the quota of a control group held back processors for");
  add(pressure.steal_ns, "the hypervisor took");
  add(pressure.threads_ns, "the I/O threads waited for processors, together");
  return text;
}

void add_extremes(const RunRecord& record, Metrics& metrics) {
  const size_t ranks = record.epochs.empty() ? 0 : ranks_of(record.epochs.front());
  for (size_t rank = 0; rank < ranks; ++rank) {
    std::vector<double> au;
    au.reserve(record.epochs.size());
    for (const Epoch& epoch : record.epochs) au.push_back(rates_of(epoch, rank).au);
    const double mean = mean_of(au);
    metrics.slowest_rank_au = rank == 0 ? mean : std::min(metrics.slowest_rank_au, mean);
    metrics.fastest_rank_au = std::max(metrics.fastest_rank_au, mean);
  }
}

void add_evaluation(const Evaluation& evaluation, Metrics& metrics) {
  double au = 0, throughput = 0;
  for (const RankBlock& rank : evaluation.ranks) {
    au += rank.au;
    throughput += rank.throughput;
  }
  const auto ranks = static_cast<double>(std::max<size_t>(evaluation.ranks.size(), 1));
  metrics.eval_au.push_back(au / ranks);
  metrics.eval_throughput.push_back(throughput);
}

}  // namespace

void set_rates(RankBlock& block, Nanos excluded_ns, const MetricWindow& window) {
  block.window_ns = block.end.monotonic_ns - block.start.monotonic_ns - excluded_ns;
  block.au = block.throughput = 0;
  const uint64_t excluded = uint64_t{window.exclude_start} + window.exclude_end;
  if (block.steps <= excluded || block.window_ns <= 0) return;
  const uint64_t samples = (block.steps - excluded) * window.batch_size;
  block.au = 100 * static_cast<double>(block.window_compute_ns) / static_cast<double>(block.window_ns);
  block.throughput = static_cast<double>(samples) / to_seconds(block.window_ns);
}

void sum_up(Epoch& epoch) {
  epoch.au = 0;
  epoch.throughput = 0;
  const size_t ranks = ranks_of(epoch);
  for (size_t rank = 0; rank < ranks; ++rank) {
    const RankRates rates = rates_of(epoch, rank);
    epoch.au += rates.au / static_cast<double>(ranks);
    epoch.throughput += rates.throughput;
  }
}

ClientShares client_shares(std::span<const Epoch> epochs) {
  Share training, evaluation, checkpoints;
  for (const Epoch& epoch : epochs) {
    // As much of a wait for data is this client's as its I/O threads waited for a processor.
    double late = 0;
    if (epoch.pressure.threads_ns && epoch.io_thread_ns > 0) {
      late = std::min(1.0, static_cast<double>(*epoch.pressure.threads_ns) / static_cast<double>(epoch.io_thread_ns));
    }
    for (const Block& block : epoch.blocks) training.add(block.client, late);
    if (epoch.evaluation) evaluation.add(epoch.evaluation->client, late);
    for (const SavedCheckpoint& saved : epoch.checkpoints) {
      if (saved.client_ns) checkpoints.add({saved.duration_ns, *saved.client_ns}, 0);
    }
  }
  return {training.value(), evaluation.value(), checkpoints.value()};
}

std::vector<std::string> slow_client(const RunRecord& record, double limit) {
  std::vector<std::string> sentences;
  const ClientShares shares = client_shares(record.epochs);
  const auto judge = [&](const char* what, const std::optional<double>& share, const std::string& why) {
    if (!share || *share <= limit) return;
    sentences.push_back(fmt::format("this client is too slow: {:.2f} % of the time of {} the storage waited for it{}",
                                    100 * *share, what, why));
  };
  judge("training", shares.training, slowness(record));
  judge("the evaluations", shares.evaluation, {});
  judge("the checkpoints", shares.checkpoints, {});
  return sentences;
}

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
  MeanAndDeviation result;
  if (values.empty()) return result;
  result.mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(squares / static_cast<double>(values.size()));
  return result;
}

bool meets_expectation(const RunRecord& record, double au) {
  return record.caveats.empty() && au >= 100 * record.au_threshold;
}

Metrics metrics_of(const RunRecord& record) {
  Metrics metrics;
  for (const Epoch& epoch : record.epochs) {
    metrics.au.push_back(epoch.au);
    metrics.throughput.push_back(epoch.throughput);
    if (epoch.evaluation) add_evaluation(*epoch.evaluation, metrics);
    for (const SavedCheckpoint& saved : epoch.checkpoints) {
      metrics.save_seconds.push_back(to_seconds(saved.duration_ns));
      metrics.save_gib_per_s.push_back(per_second(to_gib(saved.bytes), metrics.save_seconds.back()));
    }
  }
  metrics.au_overall = mean_and_deviation(metrics.au);
  metrics.throughput_overall = mean_and_deviation(metrics.throughput);
  const double mib = record.record_bytes / static_cast<double>(kMiB);
  metrics.io_mean_mib_per_s = metrics.throughput_overall.mean * mib;
  metrics.io_deviation_mib_per_s = metrics.throughput_overall.deviation * mib;
  metrics.meets_expectation = !metrics.au.empty() && meets_expectation(record, metrics.au_overall.mean);
  metrics.eval_au_overall = mean_and_deviation(metrics.eval_au);
  metrics.eval_throughput_overall = mean_and_deviation(metrics.eval_throughput);
  metrics.client = client_shares(record.epochs);
  add_shares(record, metrics);
  add_extremes(record, metrics);
  return metrics;
}

}  // namespace mlps::training
