#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "replay/player.hpp"

/// What the threads of a replay have in common. For the files player*.cpp only.
namespace mlps::replay {

inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kLongestWait = 50 * kMillisecond;   // a failure is seen after that
inline constexpr Nanos kWaitForOthers = kMillisecond / 5;  // where another thread's operation must come before

/// The memory for bodies of all operations under way.
inline constexpr uint64_t kMemory = uint64_t{1} << 30;
inline constexpr uint64_t kMostPiece = uint64_t{64} << 20;

enum class Stage : uint8_t { kNew, kBeginning, kOpen, kDone };

/// A state of an object as it comes about.
struct LiveState {
  std::atomic<Stage> stage = Stage::kNew;
  std::atomic<bool> failed = false;
  std::atomic<uint32_t> makers_left = 0;
  std::atomic<uint32_t> readers_left = 0;
  std::unique_ptr<storage::Object> object;  ///< of a write; made before the stage is kOpen
  bool whole = false;                       ///< the operation of its first byte writes all of it
};

/// What all threads of a replay share.
struct Shared {
  Shared(const Plan& what, storage::Store& where, const PlayOptions& how, world::Failure& stop)
      : plan(what),
        store(where),
        options(how),
        failure(stop),
        piece(std::clamp<uint64_t>(kMemory / how.at_once, uint64_t{1} << 20, kMostPiece)),
        states(what.states.size()) {
    for (size_t i = 0; i < states.size(); ++i) {
      states[i].makers_left = plan.states[i].makers;
      states[i].readers_left = plan.states[i].readers;
      if (plan.states[i].kind == ObjectState::Kind::kThere) states[i].stage = Stage::kDone;
    }
    for (uint32_t i = 0; i < plan.operations.size(); ++i) {
      (plan.operations[i].op == storage::LogOp::kDelete ? removals : moves).push_back(i);
    }
  }

  const std::string& name_of(const PlannedOperation& operation) const {
    return plan.names[plan.states[operation.state].name];
  }
  /// Returns whether what must come before the operation is done.
  bool may_begin(const PlannedOperation& operation) const {
    if (operation.op == storage::LogOp::kGet)
      return states[operation.state].stage.load(std::memory_order_acquire) == Stage::kDone;
    const uint32_t before = plan.states[operation.state].before;
    return before == kNone || (states[before].stage.load(std::memory_order_acquire) == Stage::kDone &&
                               states[before].readers_left.load(std::memory_order_acquire) == 0);
  }
  Nanos due(const PlannedOperation& operation) const {
    if (!options.at_recorded_times) return 0;
    return began_ns + static_cast<Nanos>(static_cast<double>(operation.due_ns) / options.speed);
  }

  const Plan& plan;
  storage::Store& store;
  const PlayOptions& options;
  world::Failure& failure;
  const uint64_t piece;
  std::vector<LiveState> states;
  std::vector<uint32_t> moves;     ///< reads and writes, in their order
  std::vector<uint32_t> removals;  ///< the others
  std::atomic<size_t> next_move = 0;
  std::atomic<size_t> next_removal = 0;
  Nanos began_ns = 0;
  std::mutex mutex;  ///< for result
  PlayResult result;
};

/// Plays reads and writes until none is left or the run has failed, `depth` at once, and merges what came of them into
/// the shared result. By a thread of its own.
void move_all(Shared& shared, std::unique_ptr<storage::Session> session, uint32_t depth);

}  // namespace mlps::replay
