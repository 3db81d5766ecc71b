#pragma once

#include <functional>
#include <string>

#include "benchmarks/checkpointing/record.hpp"
#include "live/state.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::checkpointing {

struct RunRequest : RunSettings {
  storage::Store* store = nullptr;  ///< the model's folder below the checkpoint folder, opened
  bool seed_is_given = false;       ///< by the user; else a run that only reads finds it in the objects
  std::string injected_fault;
  Stamp invocation_start;
  /// Asked after each checkpoint of a phase but the last: why there is to be no further one, or kPlan. Called by the
  /// first rank of each process; collective. May be empty.
  std::function<Result<run::EndedBy>(const RunRecord&, Phase)> ends_early;
  live::Show on_progress;  ///< may be empty
};

/// The record of a run that has not begun: all that is known beforehand, verdict "incomplete".
RunRecord describe_run(const RunRequest& request);

/// Runs this host's share of the plan (`world` has a rank for each process of the plan): write phase, page-cache
/// eviction, check of what is there, read phase. Returns when every thread of its own has ended, in success, failure
/// and interruption alike; the verdict, its reasons and the first error are in the record. Raising a failure of the
/// world from outside (a signal) stops the run within seconds: uploads are aborted, partial files removed.
RunRecord run(const RunRequest& request, world::World& world);

}  // namespace mlps::checkpointing
