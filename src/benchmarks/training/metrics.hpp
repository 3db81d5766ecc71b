#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "benchmarks/training/record.hpp"

/// Formulas of DLIO's statscounter, tested with worked numbers.
namespace mlps::training {

/// Which steps of a block count in AU and throughput: all but the first and the last so many.
struct MetricWindow {
  uint64_t batch_size = 1;
  uint32_t exclude_start = 1, exclude_end = 0;
};
/// Sets window_ns, au and throughput of a block from its steps, its times and its window_compute_ns. `excluded_ns`:
/// load and compute of the steps that don't count. AU and throughput are 0 if none counts, or T <= 0.
void set_rates(RankBlock& block, Nanos excluded_ns, const MetricWindow& window);

/// Sets au and throughput of an epoch from its blocks: the mean over ranks of the step-weighted mean over blocks, and
/// the sum over ranks.
void sum_up(Epoch& epoch);

/// Shares, from 0 to 1, of the time of training, evaluations and checkpoints in which the storage waited for this
/// client: its threads came late to what was due, or waited for a processor. Nothing of what there was not.
struct ClientShares {
  std::optional<double> training, evaluation, checkpoints;
};
ClientShares client_shares(std::span<const Epoch> epochs);
/// Returns for each share above `limit` a sentence that says how large it is, of how slow a client, and why as far as
/// the hosts can tell.
std::vector<std::string> slow_client(const RunRecord& record, double limit);

struct MeanAndDeviation {
  double mean = 0;
  double deviation = 0;  ///< population
};
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

/// Holds the metric object of summary.json, and the further numbers of this program.
struct Metrics {
  std::vector<double> au, throughput;  ///< per epoch
  MeanAndDeviation au_overall, throughput_overall;
  double io_mean_mib_per_s = 0, io_deviation_mib_per_s = 0;
  bool meets_expectation = false;
  // Of this program, over all epochs and ranks.
  double bytes_read_per_s = 0;    ///< read for steps of whole epochs, over the time of their blocks
  double demand_bytes_per_s = 0;  ///< the same if nothing but the drawn compute times took time
  double served_share = 0;        ///< of the demand, that was read
  double compute_share = 0;       ///< of accelerator time; this and the next three add up to 1
  double storage_wait_share = 0;  ///< waiting for data
  double barrier_share = 0;
  double harness_share = 0;
  ClientShares client;
  /// ClientTime::overhead_ns of the blocks per step and accelerator: the cost of this program, oversleeping and the
  /// handling of the barrier included (DLIO counts those two as compute and barrier time, so they are not in
  /// harness_share).
  double harness_ns_per_step = 0;
  double slowest_rank_au = 0, fastest_rank_au = 0;
  // Evaluation and checkpoints, where there were any.
  std::vector<double> eval_au, eval_throughput;
  MeanAndDeviation eval_au_overall, eval_throughput_overall;
  std::vector<double> save_gib_per_s, save_seconds;
};
Metrics metrics_of(const RunRecord& record);

/// Whether a mean AU, in percent, reaches the threshold in a run whose numbers are the storage's.
bool meets_expectation(const RunRecord& record, double au);

}  // namespace mlps::training
