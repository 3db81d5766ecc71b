#pragma once

#include <optional>
#include <string>

#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/plan.hpp"
#include "benchmarks/training/record.hpp"
#include "live/state.hpp"
#include "storage/store.hpp"
#include "workloads/training_workload.hpp"
#include "world/world.hpp"

namespace mlps::training {

/// The values about reading that the user may set; the rest follows from the workload and the store.
struct ReadRequest : io::PlanRequest {
  std::optional<uint64_t> read_ahead_bytes = {};  ///< --read-ahead: most of one accelerator; absent: no limit
  uint32_t hosts = 1;                             ///< that share the accelerators
  bool verify = false;
};
/// Plans the reads of this host; asks the store for part sizes only. Fails with E102, which names the flag that can't
/// be honoured.
Result<ReadPlan> plan_reads(const workloads::TrainingWorkload& workload, const RunPlan& plan, const Dataset& dataset,
                            storage::Store& store, const ReadRequest& request);

struct RunRequest {
  workloads::TrainingWorkload workload;
  RunPlan plan;
  ReadPlan reads;
  const Dataset* train = nullptr;
  const Dataset* eval = nullptr;          ///< nullptr unless the plan evaluates
  storage::Store* store = nullptr;        ///< the data folder (`<data-dir>/<model>`), opened
  storage::Store* checkpoints = nullptr;  ///< the checkpoint folder, opened; nullptr unless the plan saves any
  bool verify = false;
  uint64_t run_seed = 0;
  double eviction_limit_s = 30;  ///< --drop-caches-timeout-seconds: for evicting the data set before an epoch
  std::string scratch_folder;    ///< for the step log: the run folder
  std::string injected_fault;
  Stamp invocation_start;
  /// Asked after each epoch but the last: why there is to be no further one, or kPlan. Collective. May be empty.
  std::function<Result<run::EndedBy>(const RunRecord&)> ends_early;
  live::Show on_progress;  ///< may be empty
};

/// Returns the record of a run that has not begun, with the verdict "incomplete", for the ranks from `first_rank` on.
RunRecord describe_run(const RunRequest& request, uint32_t first_rank = 0);

/// Runs this host's share of the plan: `world` says which accelerators those are. Returns when every thread of its own
/// has ended; verdict, reasons and first error are in the record. Raising a failure of the world from outside stops it
/// within seconds. A run whose AU misses the threshold has passed: it measured what it should, and says "fail" in
/// train_au_meet_expectation.
RunRecord run(const RunRequest& request, world::World& world);

}  // namespace mlps::training
