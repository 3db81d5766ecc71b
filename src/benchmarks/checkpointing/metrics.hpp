#pragma once

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/checkpointing/record.hpp"

namespace mlps::checkpointing {

/// Holds the numbers of DLIO's statscounter for one phase: rank 0's durations, the size of all
/// ranks, mean of rates, population standard deviation. GiB, although DLIO's keys say GB.
struct ParityMetrics {
  double io_mean_gib_per_s = 0;
  double io_stdev_gib_per_s = 0;
  double duration_mean_s = 0;
  double duration_stdev_s = 0;
};

/// Holds the further numbers of this program for one phase.
struct PhaseMetrics {
  ParityMetrics parity;
  double gib_per_s = 0;       ///< total bytes / sum over checkpoints of the slowest rank's time
  double slowest_rank_s = 0;  ///< largest rank duration of any checkpoint
  double fastest_rank_s = 0;
  double harness_overhead =
      0;  ///< exposed_ns / (all worker time): share of time in which the storage waited for this program
  std::optional<double> client_share;  ///< of the time of the checkpoints: CheckpointEvent::client_ns
  double prepare_share = 0, submit_share = 0, wait_share = 0, starved_share = 0;
  double barrier_mean_s = 0;
  double cpu_s_per_gib = 0;
  std::optional<double> cached_share;  ///< reads: page-cache share of the bytes before reading; nothing if not known
};

/// Returns nothing if the phase has no completed checkpoint.
std::optional<PhaseMetrics> phase_metrics(const RunRecord& record, Phase phase);

/// Returns a sentence for each phase in which the storage waited for this client more than `limit` of the time.
std::vector<std::string> slow_client(const RunRecord& record, double limit);

double population_stdev(const std::vector<double>& values);

/// Returns the bytes per second of each checkpoint of a phase, those of the record's ranks, in the order made.
std::vector<double> rates_of(const RunRecord& record, Phase phase);

}  // namespace mlps::checkpointing
