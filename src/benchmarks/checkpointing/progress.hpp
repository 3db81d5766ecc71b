#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "benchmarks/checkpointing/run.hpp"
#include "io/object_pool.hpp"
#include "io/series.hpp"
#include "live/meter.hpp"

namespace mlps::checkpointing {

/// Holds how far a run is, as the estimate of its end needs it.
struct Position {
  Phase phase = Phase::kWrite;
  uint32_t begun = 0;            ///< checkpoints of the phase whose pause has ended
  uint64_t bytes = 0;            ///< moved in the phase
  double pause_left_s = 0;       ///< of the pause under way
  bool pausing = false;          ///< one is under way
  double write_bytes_per_s = 0;  ///< in the intervals so far; 0: not known
  double read_bytes_per_s = 0;
};

/// Returns how long the rest of the plan takes: the bytes of both phases, each at its own rate, and the pauses. Before
/// anything was read, reads are taken to be as fast as writes. Nothing before anything was moved.
std::optional<double> time_left(const CheckpointPlan& plan, const Position& position);
/// Returns the pauses that are still to come, the one under way among them.
uint64_t pauses_left(const CheckpointPlan& plan, const Position& position);

/// Tells how a checkpointing run goes. Called by the host's first rank.
class ProgressMeter {
 public:
  /// `plan` is this host's share. All else that it is given outlives the meter.
  ProgressMeter(const RunRequest& request, const CheckpointPlan& plan, const io::ObjectPool& pool,
                io::SharedSeries& series, world::World& world);

  /// The objects of a checkpoint are looked for and made ready.
  void prepare(Phase phase, uint32_t checkpoint);
  /// The pause before it begins.
  void pause();
  /// Its interval is about to begin.
  void enter();
  /// It has ended.
  void leave(const CheckpointEvent& event);
  /// There will be fewer checkpoints.
  void shorten(const CheckpointPlan& plan);

 private:
  enum class Stage { kNothing, kPreparing, kPausing, kMoving };

  bool fill(live::State& state);
  Position position(Nanos now) const;
  void fill_parts(const Position& position, live::State& state) const;

  const io::ObjectPool& pool_;
  io::SharedSeries& series_;
  live::State base_;  // what does not change

  std::mutex mutex_;
  CheckpointPlan plan_;
  Stage stage_ = Stage::kNothing;
  Phase phase_ = Phase::kWrite;
  uint32_t checkpoint_ = 0;
  Nanos stage_ns_ = 0;  // when it began
  uint64_t phase_start_bytes_ = 0;
  double closed_s_ = 0;           // of the phase's closed intervals
  double write_bytes_per_s_ = 0;  // of the phase of writes, when that is over
  std::vector<double> rates_;     // of the phase's checkpoints
  CheckpointEvent last_;
  live::Meter meter_;
};

}  // namespace mlps::checkpointing
