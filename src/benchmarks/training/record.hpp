#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "benchmarks/training/plan.hpp"
#include "io/plan.hpp"
#include "io/stats.hpp"
#include "run/host_part.hpp"
#include "run/verdict.hpp"
#include "storage/store.hpp"

namespace mlps::training {

/// How bytes move: decided before the run from the store's traits, the files and the user's limits; printed, obeyed.
struct ReadPlan : io::Plan {
  uint64_t extents_per_file = 1;
  double mean_extent_bytes = 0;
  uint64_t read_ahead_batches = 0;  ///< read_threads x prefetch_size: batches ahead of the one in use
  uint64_t read_ahead_extents = 0;  ///< per accelerator, beyond the batch it asks for; by the byte limit
  uint64_t read_ahead_bytes = 0;    ///< what that is, nominally
  uint32_t in_flight = 0;           ///< extents per accelerator at once
};

/// One block of one epoch on one rank.
struct RankBlock {
  uint64_t steps = 0;
  Stamp start, end;             ///< T0 and T1
  double au = 0;                ///< percent, section 6.1
  double throughput = 0;        ///< samples/s of this rank
  Nanos compute_ns = 0;         ///< measured, all steps
  Nanos window_compute_ns = 0;  ///< C: over the metric window
  Nanos window_ns = 0;          ///< T
  Nanos wait_ns = 0;            ///< waiting for storage, all steps
  Nanos barrier_ns = 0;         ///< waiting for other ranks, all steps
  Nanos harness_ns = 0;         ///< the rest of T1 - T0: ours
};

struct Block {
  std::vector<RankBlock> ranks;
  uint64_t first_step = 0;  ///< index into the step log
  /// Sum over steps of what a step took beyond its slowest accelerator's storage wait and drawn compute time: all that
  /// is ours (noticing, hand-over, barrier, oversleeping). Summed over hosts.
  Nanos overhead_ns = 0;
};

/// A checkpoint saved inside training.
struct SavedCheckpoint {
  uint32_t epoch = 0;
  uint64_t step = 0;
  Stamp start;
  Nanos duration_ns = 0;
  uint64_t bytes = 0;
};

struct Evaluation {
  Stamp start, end;
  std::vector<RankBlock> ranks;
};

/// Page-cache state of the data set before an epoch, by a sample of its files. Summed over hosts, which all look at the
/// whole set.
struct CacheProbe {
  uint64_t files_sampled = 0;
  uint64_t files_total = 0;
  uint64_t cached_bytes = 0;
  uint64_t sampled_bytes = 0;
  std::string action;  ///< what was done about it, in words; of process 0
};

struct Epoch {
  uint32_t number = 0;  ///< from 1
  Stamp start, end;
  std::vector<Block> blocks;
  std::vector<SavedCheckpoint> checkpoints;
  std::optional<Evaluation> evaluation;
  std::optional<CacheProbe> cache;  ///< file systems only
  double au = 0;                    ///< mean over ranks of the step-weighted mean over blocks, percent
  double throughput = 0;            ///< sum over ranks, samples/s
};

struct ReadStats : io::Stats {
  Histogram extent_ns;  ///< from the first read submitted to the last byte
  uint64_t extents = 0;
  uint64_t files_opened = 0;
  double cpu_user_s = 0, cpu_system_s = 0;  ///< of the process, over the epochs
};
/// Adds everything.
void merge(ReadStats& into, const ReadStats& from);

/// Per-step times of every rank, kept outside memory: a binary file of the run, unlinked, written step by step.
/// Nanoseconds, in the order epoch, block, step, rank.
struct StepTimes {
  Nanos load_ns = 0;  ///< waiting for the batch
  Nanos proc_ns = 0;  ///< load + compute
  Nanos compute_ns = 0;
};

class StepLog;  // training/step_log.hpp

/// Everything a training run found out. One record, many views. Made by run() for the ranks of one host;
/// gather_record() makes the record of process 0 that of all ranks.
struct RunRecord {
  Stamp invocation_start;
  Stamp run_start, run_end;
  double first_byte_s = 0;    ///< invocation_start to the first read submitted, on any host
  double start_up_s = 0;      ///< invocation_start to the first step of epoch 1, on the last host
  Nanos barrier_cost_ns = 0;  ///< of all hosts, when nobody is late; measured before epoch 1; 0 on one host
  RunPlan plan;
  uint32_t first_rank = 0;           ///< ranks of blocks and steps count from it
  ReadPlan reads;                    ///< of the host this was made on
  std::vector<run::HostPart> hosts;  ///< an entry for each process whose ranks are in this record, in order
  std::string model, accelerator, format;
  double record_bytes = 0;  ///< nominal, of a sample
  double au_threshold = 0;  ///< a fraction
  std::string location;     ///< the data folder, rendered
  storage::StoreTraits traits;
  std::vector<std::pair<std::string, std::string>> store_settings;
  uint64_t data_seed = 0;
  uint64_t run_seed = 0;  ///< of `random` shuffles; drawn per run
  bool verify = false;
  std::string injected_fault;

  std::vector<Epoch> epochs;     ///< those completed
  uint64_t extents_planned = 0;  ///< of the epochs begun
  ReadStats stats;
  std::shared_ptr<StepLog> steps;
  uint64_t peak_rss_bytes = 0;  ///< of the process that had most
  std::vector<std::string> notes;

  run::Verdict verdict = run::Verdict::kIncomplete;
  std::vector<std::string> reasons;
  std::optional<Error> error;
};

/// The verdict on a record, of one host's ranks or of all: passed only if every epoch is complete and every planned
/// read was made. What was not is added to the reasons that are there already.
void judge(RunRecord& record);

}  // namespace mlps::training
