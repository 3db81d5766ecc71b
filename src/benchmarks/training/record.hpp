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
#include "io/series.hpp"
#include "io/stats.hpp"
#include "run/early_end.hpp"
#include "run/run_facts.hpp"
#include "storage/store.hpp"
#include "world/cpu_pressure.hpp"

namespace mlps::training {

/// Describes how bytes are read: chosen before the run from the store's traits, the files and the user's limits,
/// printed, and obeyed.
struct ReadPlan : io::Plan {
  uint64_t extents_per_file = 1;
  double mean_extent_bytes = 0;
  uint32_t readers = 0;              ///< of each accelerator, as reader.read_threads means it
  uint64_t read_ahead_batches = 0;   ///< of an accelerator, beyond the batch it asks for; and beyond these
  uint64_t read_ahead_window = 0;    ///< so many extents
  uint64_t read_ahead_extents = 0;   ///< what both come to, but no more than --read-ahead
  uint64_t read_ahead_bytes = 0;     ///< what that is, nominally; bytes that have arrived take no memory
  uint32_t in_flight = 0;            ///< extents per accelerator at once
  std::vector<std::string> remarks;  ///< sentences on limits that the workload meets, and what the numbers then mean
};

/// Holds the times of one block of one epoch on one rank; docs/metrics.md has the formulas.
struct RankBlock {
  uint64_t steps = 0;
  Stamp start, end;             ///< T0 and T1
  double au = 0;                ///< percent: 100 C / T
  double throughput = 0;        ///< samples/s of this rank
  Nanos compute_ns = 0;         ///< measured, all steps
  Nanos drawn_ns = 0;           ///< the same as the accelerator would have computed
  Nanos window_compute_ns = 0;  ///< C: over the metric window
  Nanos window_ns = 0;          ///< T
  Nanos wait_ns = 0;            ///< waiting for storage, all steps
  Nanos barrier_ns = 0;         ///< waiting for other ranks, all steps
  Nanos harness_ns = 0;         ///< the rest of T1 - T0: the cost of this program
};
constexpr auto fields_of(Of<RankBlock>) {
  return std::tuple(kept("steps", &RankBlock::steps), kept("start_ns", &RankBlock::start),
                    kept("end_ns", &RankBlock::end), kept("au_percent", &RankBlock::au),
                    kept("samples_per_s", &RankBlock::throughput), kept("compute_ns", &RankBlock::compute_ns),
                    kept("drawn_ns", &RankBlock::drawn_ns), kept("window_compute_ns", &RankBlock::window_compute_ns),
                    kept("window_ns", &RankBlock::window_ns), kept("wait_ns", &RankBlock::wait_ns),
                    kept("barrier_ns", &RankBlock::barrier_ns), kept("harness_ns", &RankBlock::harness_ns));
}
static_assert(lists_every_member<RankBlock>());

/// What of a stretch of steps, or of checkpoints, was not the accelerators' computing and not the storage's: time of
/// this client, which a slow one adds to. Summed over hosts; of accelerators without a barrier the mean.
struct ClientTime {
  Nanos wall_ns = 0;
  Nanos overhead_ns = 0;  ///< beyond the drawn compute time and the wait for data of the slowest accelerator
  Nanos wait_ns = 0;      ///< that wait, while this process could run
};
constexpr auto fields_of(Of<ClientTime>) {
  return std::tuple(summed("wall_ns", &ClientTime::wall_ns), summed("overhead_ns", &ClientTime::overhead_ns),
                    summed("wait_ns", &ClientTime::wait_ns));
}
static_assert(lists_every_member<ClientTime>());

struct Block {
  std::vector<RankBlock> ranks;
  uint64_t first_step = 0;  ///< index into the step log
  ClientTime client;
};
constexpr auto fields_of(Of<Block>) {
  return std::tuple(summed("ranks", &Block::ranks), kept("first_step", &Block::first_step),
                    summed("client", &Block::client));
}
static_assert(lists_every_member<Block>());

/// Describes a checkpoint saved inside training.
struct SavedCheckpoint {
  uint32_t epoch = 0;
  uint64_t step = 0;
  Stamp start;
  Nanos duration_ns = 0;
  uint64_t bytes = 0;
  std::optional<Nanos> client_ns = {};  ///< of the duration: the storage waited for this client; nothing: no storage
};
constexpr auto fields_of(Of<SavedCheckpoint>) {
  return std::tuple(kept("epoch", &SavedCheckpoint::epoch), kept("step", &SavedCheckpoint::step),
                    kept("start_ns", &SavedCheckpoint::start), kept("duration_ns", &SavedCheckpoint::duration_ns),
                    kept("bytes", &SavedCheckpoint::bytes), kept("client_ns", &SavedCheckpoint::client_ns));
}
static_assert(lists_every_member<SavedCheckpoint>());

struct Evaluation {
  Stamp start, end;
  std::vector<RankBlock> ranks;
  ClientTime client;
};
constexpr auto fields_of(Of<Evaluation>) {
  return std::tuple(lowest("start_ns", &Evaluation::start), highest("end_ns", &Evaluation::end),
                    summed("ranks", &Evaluation::ranks), summed("client", &Evaluation::client));
}
static_assert(lists_every_member<Evaluation>());

/// Holds the page-cache state of the data set before an epoch, by a sample of its files. Summed over hosts, which all
/// look at the whole set.
struct CacheProbe {
  std::optional<uint64_t> files_sampled;  ///< with the next two: known if it is known on every host; else `action`
  uint64_t files_total = 0;               ///< says why not
  std::optional<uint64_t> cached_bytes;
  std::optional<uint64_t> sampled_bytes;
  std::string action;  ///< what was done about it, in words; of process 0

  /// Returns the share of the sampled bytes that was in page caches; nothing if that is not known.
  std::optional<double> cached_share() const;
};
constexpr auto fields_of(Of<CacheProbe>) {
  return std::tuple(summed("files_sampled", &CacheProbe::files_sampled),
                    summed("files_total", &CacheProbe::files_total), summed("cached_bytes", &CacheProbe::cached_bytes),
                    summed("sampled_bytes", &CacheProbe::sampled_bytes), kept("action", &CacheProbe::action));
}
static_assert(lists_every_member<CacheProbe>());

struct Epoch {
  uint32_t number = 0;  ///< from 1
  Stamp start, end;
  Stamp trained;  ///< before the evaluation
  std::vector<Block> blocks;
  std::vector<SavedCheckpoint> checkpoints;
  std::optional<Evaluation> evaluation;
  std::optional<CacheProbe> cache;  ///< file systems only
  double au = 0;                    ///< mean over ranks of the step-weighted mean over blocks, percent
  double throughput = 0;            ///< sum over ranks, samples/s
  world::CpuPressure pressure;      ///< processor time that the hosts wanted and did not get, over the epoch
  Nanos io_thread_ns = 0;           ///< time of all I/O threads: their number times the epoch
  uint64_t training_bytes = 0;      ///< read for the steps; those of the evaluation are not among them
};
constexpr auto fields_of(Of<Epoch>) {
  return std::tuple(kept("epoch", &Epoch::number), kept("start_ns", &Epoch::start), highest("end_ns", &Epoch::end),
                    highest("trained_ns", &Epoch::trained), each("blocks", &Epoch::blocks),
                    kept("checkpoints", &Epoch::checkpoints), summed("evaluation", &Epoch::evaluation),
                    summed("cache", &Epoch::cache), kept("au_percent", &Epoch::au),
                    kept("samples_per_s", &Epoch::throughput), summed("processors", &Epoch::pressure),
                    summed("io_thread_ns", &Epoch::io_thread_ns), summed("training_bytes", &Epoch::training_bytes));
}
static_assert(lists_every_member<Epoch>());

struct ReadStats : io::Stats {
  Histogram extent_ns;  ///< from the first read submitted to the last byte
  uint64_t extents = 0;
  uint64_t files_opened = 0;
  double cpu_user_s = 0, cpu_system_s = 0;  ///< of the process, over the epochs
};
constexpr auto fields_of(Of<ReadStats>) {
  using S = ReadStats;
  return std::tuple(summed("bytes", &S::bytes), summed("bytes_verified", &S::bytes_verified),
                    summed("extents", &S::extents), summed("files_opened", &S::files_opened),
                    summed("reads", &S::parts), summed("", &S::objects), summed("retries", &S::retries),
                    summed("retried_bytes", &S::retried_bytes), summed("cpu_user_s", &S::cpu_user_s),
                    summed("cpu_system_s", &S::cpu_system_s), summed("worker_time", &S::times),
                    summed("open", &S::begin_ns), summed("read", &S::part_ns), summed("first_byte", &S::first_byte_ns),
                    summed("", &S::commit_ns), summed("extent", &S::extent_ns));
}
static_assert(lists_every_member<ReadStats, io::Stats>());

/// Per-step times of every rank, kept outside memory: a binary file of the run, unlinked, written step by step.
/// Nanoseconds, in the order epoch, block, step, rank.
struct StepTimes {
  Nanos load_ns = 0;  ///< waiting for the batch
  Nanos proc_ns = 0;  ///< load + compute
  Nanos compute_ns = 0;
};

class StepLog;  // training/step_log.hpp

/// Holds everything a training run found out; result files, tables and JSON are views of it. run() makes it for the
/// ranks of one host; gather_record() makes the record of process 0 that of all ranks.
struct RunRecord : run::RunFacts {
  double start_up_s = 0;  ///< invocation_start to the first step of epoch 1, on the last host
  RunPlan plan;
  uint32_t first_rank = 0;  ///< ranks of blocks and steps count from it
  ReadPlan reads;           ///< of the host this was made on
  std::string model, accelerator, format;
  double record_bytes = 0;                        ///< nominal, of a sample
  double au_threshold = 0;                        ///< a fraction
  uint32_t excluded_start = 0, excluded_end = 0;  ///< steps of a block that AU leaves out
  uint64_t data_seed = 0;
  uint64_t run_seed = 0;  ///< of `random` shuffles; drawn per run
  bool verify = false;

  std::vector<Epoch> epochs;  ///< those completed
  run::EndedBy ended_by = run::EndedBy::kPlan;
  uint64_t extents_planned = 0;  ///< of the epochs begun
  ReadStats stats;
  io::Series series;  ///< of every second, from run_start on; of each host by its own clock
  std::shared_ptr<StepLog> steps;
  uint64_t steps_logged = 0;  ///< in the log when the run ended
  std::vector<std::string> notes;
};

/// Lists what differs from process to process. Checkpoints are saved by process 0; start_up_s is moved by gathering.
constexpr auto fields_of(Of<RunRecord>) {
  return std::tuple(kept("start_up_s", &RunRecord::start_up_s), kept("", &RunRecord::steps_logged),
                    summed("", &RunRecord::extents_planned), each("epochs", &RunRecord::epochs),
                    summed("reading", &RunRecord::stats), summed("", &RunRecord::series));
}
static_assert(own_members<RunRecord, 1>() == 22, "is a new member equal in all processes, or does the list lack it?");

/// The verdict on a record, of one host's ranks or of all: passed only if every epoch is complete and every planned
/// read was made. What was not is added to the reasons that are there already; why a passed run says nothing of the
/// storage becomes its caveats.
void judge(RunRecord& record);

}  // namespace mlps::training
