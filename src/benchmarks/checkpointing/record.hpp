#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/histogram.hpp"
#include "benchmarks/checkpointing/plan.hpp"
#include "run/run_facts.hpp"
#include "storage/store.hpp"

namespace mlps::checkpointing {

enum class Phase { kWrite, kRead };
inline const char* phase_name(Phase phase) {
  return phase == Phase::kWrite ? "write" : "read";
}

enum class PayloadMode { kUnique, kNone };

/// How the bytes move: decided before the run from the store's traits and the user's limits, printed, and obeyed.
struct IoPlan {
  uint32_t workers = 0;       ///< I/O threads of this host
  uint32_t depth = 0;         ///< operations in flight per worker
  uint64_t part_bytes = 0;    ///< largest part of any object of the plan
  uint64_t budget_bytes = 0;  ///< limit for I/O buffers of this host
  uint64_t buffer_bytes() const { return uint64_t{workers} * depth * part_bytes; }
};

/// One save or load of one checkpoint by one rank. Its interval is the rank's own, from leaving the opening barrier
/// to its last object being complete.
struct RankInterval {
  uint32_t rank = 0;
  Stamp start;
  Nanos duration_ns = 0;
  uint64_t bytes = 0;
  Nanos prepare_ns = 0;  ///< filling or verifying this rank's parts, summed over workers
  Nanos storage_ns = 0;  ///< storage operations of this rank, summed (they overlap)
  Nanos barrier_ns = 0;  ///< waiting for other ranks at the opening barrier
};

/// Time of all I/O workers in a phase, summed over workers and checkpoints. prepare + submit + wait + starved +
/// other = workers x the phase's busy time.
struct WorkerTimes {
  Nanos prepare_ns = 0;  ///< payload fill or verify
  Nanos submit_ns = 0;   ///< inside Session::submit (blocking stores: the I/O itself)
  Nanos wait_ns = 0;     ///< inside Session::poll with something in flight
  Nanos starved_ns = 0;  ///< nothing to take: other workers hold the last parts
  Nanos other_ns = 0;    ///< our own bookkeeping
  Nanos exposed_ns = 0;  ///< part of prepare and other during which this worker had nothing in flight
};

constexpr auto fields_of(Of<RankInterval>) {
  return std::tuple(kept("rank", &RankInterval::rank), kept("start_ns", &RankInterval::start),
                    kept("duration_ns", &RankInterval::duration_ns), kept("bytes", &RankInterval::bytes),
                    kept("prepare_ns", &RankInterval::prepare_ns), kept("storage_ns", &RankInterval::storage_ns),
                    kept("barrier_ns", &RankInterval::barrier_ns));
}
static_assert(lists_every_member<RankInterval>());

constexpr auto fields_of(Of<WorkerTimes>) {
  return std::tuple(summed("prepare_ns", &WorkerTimes::prepare_ns), summed("submit_ns", &WorkerTimes::submit_ns),
                    summed("wait_ns", &WorkerTimes::wait_ns), summed("starved_ns", &WorkerTimes::starved_ns),
                    summed("other_ns", &WorkerTimes::other_ns), summed("exposed_ns", &WorkerTimes::exposed_ns));
}
static_assert(lists_every_member<WorkerTimes>());

/// One checkpoint of a phase.
struct CheckpointEvent {
  Phase phase = Phase::kWrite;
  uint32_t checkpoint = 0;  ///< from 1
  Stamp start;              ///< first rank's start
  /// First rank's start to the last rank's end; of several hosts, which all leave the same barrier, the longest, each
  /// by its own clock.
  Nanos slowest_ns = 0;
  std::vector<RankInterval> ranks;
  /// Reads from file systems: page cache just before, of each host for what it is to read, summed.
  std::optional<storage::Residency> cached_before;
};

constexpr auto fields_of(Of<CheckpointEvent>) {
  return std::tuple(kept("phase", &CheckpointEvent::phase), kept("checkpoint", &CheckpointEvent::checkpoint),
                    lowest("start_ns", &CheckpointEvent::start), highest("slowest_ns", &CheckpointEvent::slowest_ns),
                    summed("cached_before", &CheckpointEvent::cached_before), summed("ranks", &CheckpointEvent::ranks));
}
static_assert(lists_every_member<CheckpointEvent>());

struct PhaseStats {
  Histogram begin_ns, part_ns, first_byte_ns, commit_ns;  ///< latencies per operation
  WorkerTimes times;
  uint64_t bytes = 0;
  uint64_t bytes_verified = 0;
  uint64_t parts = 0;
  uint64_t objects = 0;
  uint64_t retries = 0;
  uint64_t retried_bytes = 0;
  double cpu_user_s = 0;
  double cpu_system_s = 0;
  double wall_s = 0;  ///< sum over the phase's checkpoints of slowest_ns
};
constexpr auto fields_of(Of<PhaseStats>) {
  return std::tuple(summed("bytes", &PhaseStats::bytes), summed("bytes_verified", &PhaseStats::bytes_verified),
                    summed("parts", &PhaseStats::parts), summed("objects", &PhaseStats::objects),
                    summed("retries", &PhaseStats::retries), summed("retried_bytes", &PhaseStats::retried_bytes),
                    kept("wall_s", &PhaseStats::wall_s), summed("cpu_user_s", &PhaseStats::cpu_user_s),
                    summed("cpu_system_s", &PhaseStats::cpu_system_s), summed("worker_time", &PhaseStats::times),
                    summed("begin", &PhaseStats::begin_ns), summed("part", &PhaseStats::part_ns),
                    summed("first_byte", &PhaseStats::first_byte_ns), summed("commit", &PhaseStats::commit_ns));
}
static_assert(lists_every_member<PhaseStats>());

/// Holds everything a run found out; result files, tables and JSON are views of it. run() makes it for the ranks of one
/// host; gather_record() makes the record of process 0 that of all ranks.
struct RunRecord : run::RunFacts {
  CheckpointPlan plan;
  uint32_t first_rank = 0;  ///< events and counters are those of the ranks from this one on
  IoPlan io;                ///< of the host this was made on
  uint64_t seed = 0;
  bool verify = false;
  PayloadMode payload = PayloadMode::kUnique;
  std::string payload_layer;

  std::vector<CheckpointEvent> events;  ///< in the order they happened
  PhaseStats write, read;
  std::string eviction;  ///< what was done about the page cache between write and read, in words
};

/// Lists what differs from process to process.
constexpr auto fields_of(Of<RunRecord>) {
  return std::tuple(each("events", &RunRecord::events), summed("write", &RunRecord::write),
                    summed("read", &RunRecord::read));
}

/// The verdict on a record that is to hold all of `plan`, the whole or a host's share of it: passed only if every
/// planned byte and object is accounted for. What is not is added to the reasons that are there already.
void judge(RunRecord& record, const CheckpointPlan& plan);

}  // namespace mlps::checkpointing
