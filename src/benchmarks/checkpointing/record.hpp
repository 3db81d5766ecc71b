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
#include "run/host_part.hpp"
#include "run/verdict.hpp"
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

struct PhaseStats : io::Stats {
  double cpu_user_s = 0;
  double cpu_system_s = 0;
  double wall_s = 0;  ///< sum over the phase's checkpoints of slowest_ns
};
/// Adds counters, latencies and processor time. Wall times don't add up: wall_s stays.
void merge(PhaseStats& into, const PhaseStats& from);

/// Everything a run found out. One record, many views: result files, tables and JSON are made from it. Made by run()
/// for the ranks of one host; gather_record() makes the record of process 0 that of all ranks.
struct RunRecord {
  Stamp invocation_start;     ///< entry of main()
  Stamp run_start, run_end;   ///< the benchmark proper: first barrier to last
  double first_byte_s = 0;    ///< invocation_start to the first part submitted, on any host
  Nanos barrier_cost_ns = 0;  ///< of all ranks of all hosts, when nobody is late; measured before the first checkpoint
  CheckpointPlan plan;
  uint32_t first_rank = 0;           ///< events and counters are those of the ranks from this one on
  IoPlan io;                         ///< of the host this was made on
  std::vector<run::HostPart> hosts;  ///< an entry for each process whose ranks are in this record, in order
  std::string location;              ///< the checkpoint folder, rendered
  storage::StoreTraits traits;
  std::vector<std::pair<std::string, std::string>> store_settings;
  uint64_t seed = 0;
  bool verify = false;
  PayloadMode payload = PayloadMode::kUnique;
  std::string payload_layer;
  std::string injected_fault;  ///< empty when none

  std::vector<CheckpointEvent> events;  ///< in the order they happened
  PhaseStats write, read;
  uint64_t peak_rss_bytes = 0;  ///< of the process that had most
  std::string eviction;         ///< what was done about the page cache between write and read, in words

  run::Verdict verdict = run::Verdict::kIncomplete;
  std::vector<std::string> reasons;  ///< why the verdict is not "passed"; empty when it is
  std::optional<Error> error;        ///< the first cause
};

/// The verdict on a record that is to hold all of `plan`, the whole or a host's share of it: passed only if every
/// planned byte and object is accounted for. What is not is added to the reasons that are there already.
void judge(RunRecord& record, const CheckpointPlan& plan);

}  // namespace mlps::checkpointing
