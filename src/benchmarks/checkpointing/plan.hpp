#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fields.hpp"
#include "workloads/checkpoint_workload.hpp"

namespace mlps::checkpointing {

/// Tensors are only ever shrunk: --size-scale is above 0 and at most this.
inline constexpr double kMostSizeScale = 1.0;

/// Describes one file or object of a checkpoint.
struct PlannedObject {
  std::string name;  ///< inside the step folder, e.g. "zero_pp_rank_0_mp_rank_0_model_states.pt"
  uint64_t size_bytes = 0;
};
constexpr auto fields_of(Of<PlannedObject>) {
  return std::tuple(kept("name", &PlannedObject::name), kept("size_bytes", &PlannedObject::size_bytes));
}
static_assert(lists_every_member<PlannedObject>());

/// Lists what one rank writes, and later reads, of every checkpoint: model objects first, then the optimizer object.
struct RankPlan {
  uint32_t rank = 0;
  uint32_t tensor_rank = 0;    ///< rank mod TP
  uint32_t pipeline_rank = 0;  ///< (rank / TP) mod PP
  uint32_t data_rank = 0;      ///< rank / (TP * PP)
  uint64_t model_bytes = 0;
  uint64_t optimizer_bytes = 0;
  std::vector<PlannedObject> objects;
  uint64_t total_bytes() const { return model_bytes + optimizer_bytes; }
};
constexpr auto fields_of(Of<RankPlan>) {
  return std::tuple(kept("rank", &RankPlan::rank), kept("tensor_rank", &RankPlan::tensor_rank),
                    kept("pipeline_rank", &RankPlan::pipeline_rank), kept("data_rank", &RankPlan::data_rank),
                    kept("model_bytes", &RankPlan::model_bytes), kept("optimizer_bytes", &RankPlan::optimizer_bytes),
                    kept("objects", &RankPlan::objects));
}
static_assert(lists_every_member<RankPlan>());

/// default: the whole grid; subset: ranks 0..N-1 of the CLOSED grid (rules of MLPerf Storage 3.0 for fewer hosts than a
/// model has).
enum class GridMode { kDefault, kSubset };

/// Describes exactly what a run does; datasize, the gates, the progress line and the verdict use the same plan. Pure
/// data.
struct CheckpointPlan {
  std::string model;  ///< CLI spelling; also its folder below --checkpoint-folder
  GridMode grid = GridMode::kDefault;
  uint32_t processes = 0;
  uint32_t data_parallel = 0;
  uint64_t parameters = 0;  ///< of the unscaled model
  double size_scale = 1.0;
  uint32_t checkpoints_to_write = 0;
  uint32_t checkpoints_to_read = 0;
  double pause_seconds = 0;  ///< before every checkpoint of a phase
  bool rank_sync = false;
  std::vector<RankPlan> ranks;

  uint64_t model_bytes = 0;      ///< of one checkpoint, all ranks
  uint64_t optimizer_bytes = 0;  ///< of one checkpoint, all ranks
  uint64_t objects_per_checkpoint = 0;
  uint64_t checkpoint_bytes() const { return model_bytes + optimizer_bytes; }
  uint64_t bytes_to_write() const { return checkpoint_bytes() * checkpoints_to_write; }
  uint64_t bytes_to_read() const { return checkpoint_bytes() * checkpoints_to_read; }
};
/// Processes that carry out the same plan have the same pack of it.
constexpr auto fields_of(Of<CheckpointPlan>) {
  return std::tuple(
      kept("model", &CheckpointPlan::model), kept("grid", &CheckpointPlan::grid),
      kept("processes", &CheckpointPlan::processes), kept("data_parallel", &CheckpointPlan::data_parallel),
      kept("parameter_count", &CheckpointPlan::parameters), kept("size_scale", &CheckpointPlan::size_scale),
      kept("checkpoints_to_write", &CheckpointPlan::checkpoints_to_write),
      kept("checkpoints_to_read", &CheckpointPlan::checkpoints_to_read),
      kept("pause_s", &CheckpointPlan::pause_seconds), kept("rank_sync", &CheckpointPlan::rank_sync),
      kept("ranks", &CheckpointPlan::ranks), kept("model_bytes", &CheckpointPlan::model_bytes),
      kept("optimizer_bytes", &CheckpointPlan::optimizer_bytes),
      kept("objects_per_checkpoint", &CheckpointPlan::objects_per_checkpoint));
}
static_assert(lists_every_member<CheckpointPlan>());

struct PlanOptions {
  uint32_t processes = 0;
  double size_scale = 1.0;  ///< (0, 1]; every tensor has max(1, floor(elements * size_scale)) elements
};

/// Plans a run; a pure function. The sizes follow DLIO's formulas for model and optimizer state under tensor, pipeline
/// and ZeRO parallelism; a topology that doesn't fit is E102 naming the process count and the nearest legal ones.
Result<CheckpointPlan> make_plan(const workloads::CheckpointWorkload& workload, const PlanOptions& options);

/// Returns the part of a plan that ranks [first, first + count) carry out: its totals are theirs.
CheckpointPlan share_of(const CheckpointPlan& plan, uint32_t first, uint32_t count);

/// Returns "global_epoch1_step<k>", k from 1.
std::string step_folder(uint32_t checkpoint);

/// Returns "<step folder>/<object>", the name of an object below the model's folder; the one place that forms it.
std::string object_name(uint32_t checkpoint, const PlannedObject& object);

/// Returns the name that the content of an object is made from: "<model>/<object_name()>".
std::string payload_name(const CheckpointPlan& plan, uint32_t checkpoint, const PlannedObject& object);

}  // namespace mlps::checkpointing
