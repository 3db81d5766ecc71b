#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/histogram.hpp"
#include "replay/plan.hpp"
#include "storage/store.hpp"
#include "world/failure.hpp"

namespace mlps::replay {

/// How a plan is played.
struct PlayOptions {
  bool at_recorded_times = true;  ///< false: each operation as soon as a place is free
  double speed = 1;               ///< recorded times are divided by this
  uint32_t at_once = 1;           ///< the most operations under way
};

/// What came of the operations of one kind.
struct KindResult {
  uint64_t operations = 0;  ///< that worked
  uint64_t bytes = 0;
  uint64_t failed = 0;
  Histogram latency_ns = {};   ///< from the first request of an operation to its last answer; of those that worked
  Histogram recorded_ns = {};  ///< of the same operations in the log, where it says

  void merge(const KindResult& other);
};

struct PlayResult {
  std::array<KindResult, 3> kinds;  ///< by LogOp: kGet, kPut, kDelete
  Histogram late_ns = {};           ///< how long after their time operations began; at recorded times only
  Nanos duration_ns = 0;
  uint64_t written_whole = 0;  ///< objects whose recorded parts the store doesn't allow: written in parts of its own
  uint64_t not_played = 0;     ///< because the replay was stopped
  std::optional<Error> error = {};  ///< the first one of an operation

  void merge(const PlayResult& other);
};

/// Plays a plan on a store and returns when all is done, or soon after a failure was raised (an interrupt): then
/// unfinished uploads are aborted. Operations that fail are counted and don't end the replay. Objects are written with
/// a payload of their names. The error is that of the system, if there are no threads or sessions.
Result<PlayResult> play(const Plan& plan, storage::Store& store, const PlayOptions& options, world::Failure& failure);

}  // namespace mlps::replay
