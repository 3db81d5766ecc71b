#pragma once

#include <cstdint>
#include <vector>

#include "benchmarks/training/record.hpp"

/// Formulas of DLIO's statscounter, tested with worked numbers.
namespace mlps::training {

/// Sums over the steps of one block of one rank, as the run takes them.
struct BlockSums {
  uint64_t steps = 0;
  Nanos wall_ns = 0;            ///< T1 - T0
  Nanos window_compute_ns = 0;  ///< compute over steps exclude_start .. steps - 1 - exclude_end
  Nanos excluded_proc_ns = 0;   ///< proc of the excluded steps
  uint64_t batch_size = 1;
  uint32_t exclude_start = 1;
  uint32_t exclude_end = 0;
};
struct BlockRates {
  Nanos window_ns = 0;    ///< T
  double au = 0;          ///< percent; 0 if the window is empty or T <= 0
  double throughput = 0;  ///< samples/s
};
BlockRates block_rates(const BlockSums& sums);

/// Epoch's au and throughput from its blocks (section 6.2).
void sum_up(Epoch& epoch);

struct MeanAndDeviation {
  double mean = 0;
  double deviation = 0;  ///< population
};
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

/// The metric object of summary.json, and ours.
struct Metrics {
  std::vector<double> au, throughput;  ///< per epoch
  MeanAndDeviation au_overall, throughput_overall;
  double io_mean_mib_per_s = 0, io_deviation_mib_per_s = 0;
  bool meets_expectation = false;
  // Ours, over all epochs and ranks.
  double bytes_read_per_s = 0;    ///< really read over the sum of epoch block times
  double storage_wait_share = 0;  ///< of accelerator time: waiting for data
  double barrier_share = 0;
  double harness_share = 0;
  /// Block::overhead_ns per step and accelerator: everything that is ours, oversleeping and the handling of the barrier
  /// included (those two are compute and barrier time by the original's definitions, so not in harness_share).
  double harness_ns_per_step = 0;
  double slowest_rank_au = 0, fastest_rank_au = 0;
  // Evaluation and checkpoints, where there were any.
  std::vector<double> eval_au, eval_throughput;
  MeanAndDeviation eval_au_overall, eval_throughput_overall;
  std::vector<double> save_gib_per_s, save_seconds;
};
Metrics metrics_of(const RunRecord& record);

}  // namespace mlps::training
