#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "benchmarks/checkpointing/plan.hpp"
#include "io/plan.hpp"
#include "io/stats.hpp"
#include "run/early_end.hpp"
#include "run/run_facts.hpp"
#include "storage/store.hpp"

namespace mlps::checkpointing {

enum class Phase { kWrite, kRead };
inline const char* phase_name(Phase phase) {
  return phase == Phase::kWrite ? "write" : "read";
}

enum class PayloadMode { kUnique, kNone };

using IoPlan = io::Plan;

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

constexpr auto fields_of(Of<RankInterval>) {
  return std::tuple(kept("rank", &RankInterval::rank), kept("start_ns", &RankInterval::start),
                    kept("duration_ns", &RankInterval::duration_ns), kept("bytes", &RankInterval::bytes),
                    kept("prepare_ns", &RankInterval::prepare_ns), kept("storage_ns", &RankInterval::storage_ns),
                    kept("barrier_ns", &RankInterval::barrier_ns));
}
static_assert(lists_every_member<RankInterval>());

/// Describes one checkpoint of a phase.
struct CheckpointEvent {
  Phase phase = Phase::kWrite;
  uint32_t checkpoint = 0;  ///< from 1
  Stamp start;              ///< first rank's start
  /// First rank's start to the last rank's end; of several hosts, which all leave the same barrier, the longest, each
  /// by its own clock.
  Nanos slowest_ns = 0;
  /// Of that, the storage waited for this client: nothing at all was in flight, or the process could not run. Of
  /// several hosts the longest.
  Nanos client_ns = 0;
  std::vector<RankInterval> ranks;
  /// Reads from file systems: page cache just before, of each host for what it is to read, summed.
  std::optional<storage::Residency> cached_before;
};

constexpr auto fields_of(Of<CheckpointEvent>) {
  return std::tuple(kept("phase", &CheckpointEvent::phase), kept("checkpoint", &CheckpointEvent::checkpoint),
                    lowest("start_ns", &CheckpointEvent::start), highest("slowest_ns", &CheckpointEvent::slowest_ns),
                    highest("client_ns", &CheckpointEvent::client_ns),
                    summed("cached_before", &CheckpointEvent::cached_before), summed("ranks", &CheckpointEvent::ranks));
}
static_assert(lists_every_member<CheckpointEvent>());

struct PhaseStats : io::Stats {
  double cpu_user_s = 0;
  double cpu_system_s = 0;
  double wall_s = 0;  ///< sum over the phase's checkpoints of slowest_ns
};
/// Lists the fields of io::Stats too, in the order in which the record publishes them.
constexpr auto fields_of(Of<PhaseStats>) {
  using S = PhaseStats;
  return std::tuple(summed("bytes", &S::bytes), summed("bytes_verified", &S::bytes_verified),
                    summed("parts", &S::parts), summed("objects", &S::objects), summed("retries", &S::retries),
                    summed("retried_bytes", &S::retried_bytes), kept("wall_s", &S::wall_s),
                    summed("cpu_user_s", &S::cpu_user_s), summed("cpu_system_s", &S::cpu_system_s),
                    summed("worker_time", &S::times), summed("begin", &S::begin_ns), summed("part", &S::part_ns),
                    summed("first_byte", &S::first_byte_ns), summed("commit", &S::commit_ns));
}
static_assert(lists_every_member<PhaseStats, io::Stats>());

/// Holds what a run is to do and how.
struct RunSettings {
  CheckpointPlan plan;
  IoPlan io;          ///< of the host this was made on
  uint64_t seed = 0;  ///< of the payload; chosen anew for every run unless the user gives one
  bool verify = false;
  PayloadMode payload = PayloadMode::kUnique;
};

/// Holds everything a run found out; result files, tables and JSON are views of it. run() makes it for the ranks of one
/// host; gather_record() makes the record of process 0 that of all ranks.
struct RunRecord : run::RunFacts, RunSettings {
  uint32_t first_rank = 0;  ///< events and counters are those of the ranks from this one on
  std::string payload_layer;
  std::vector<CheckpointEvent> events;  ///< in the order they happened
  /// What let the phases have no further checkpoint; the plan is that of those that they had.
  run::EndedBy write_ended_by = run::EndedBy::kPlan, read_ended_by = run::EndedBy::kPlan;
  PhaseStats write, read;
  std::string eviction;  ///< what was done about the page cache between write and read, in words
};

/// Lists what differs from process to process.
constexpr auto fields_of(Of<RunRecord>) {
  return std::tuple(each("events", &RunRecord::events), summed("write", &RunRecord::write),
                    summed("read", &RunRecord::read));
}
static_assert(own_members<RunRecord, 2>() == 8, "is a new member equal in all processes, or does the list lack it?");

/// The verdict on a record that is to hold all of `plan`, the whole or a host's share of it: passed only if every
/// planned byte and object is accounted for. What is not is added to the reasons that are there already; why a passed
/// run says nothing of the storage becomes its caveats.
void judge(RunRecord& record, const CheckpointPlan& plan);

}  // namespace mlps::checkpointing
