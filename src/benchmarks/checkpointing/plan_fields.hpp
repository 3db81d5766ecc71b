#pragma once

#include "benchmarks/checkpointing/plan.hpp"
#include "world/archive.hpp"

/// The fields of a plan, for the hash on which the processes of a run agree.
namespace mlps::checkpointing {

constexpr auto fields_of(Of<PlannedObject>) {
  return std::tuple(kept("", &PlannedObject::name), kept("", &PlannedObject::size_bytes));
}

constexpr auto fields_of(Of<RankPlan>) {
  using R = RankPlan;
  return std::tuple(kept("", &R::rank), kept("", &R::tensor_rank), kept("", &R::pipeline_rank), kept("", &R::data_rank),
                    kept("", &R::model_bytes), kept("", &R::optimizer_bytes), kept("", &R::objects));
}

constexpr auto fields_of(Of<CheckpointPlan>) {
  using P = CheckpointPlan;
  return std::tuple(kept("", &P::model), kept("", &P::grid), kept("", &P::processes), kept("", &P::data_parallel),
                    kept("", &P::parameters), kept("", &P::size_scale), kept("", &P::checkpoints_to_write),
                    kept("", &P::checkpoints_to_read), kept("", &P::pause_seconds), kept("", &P::rank_sync),
                    kept("", &P::ranks), kept("", &P::model_bytes), kept("", &P::optimizer_bytes),
                    kept("", &P::objects_per_checkpoint));
}

static_assert(lists_every_member<PlannedObject>() && lists_every_member<RankPlan>() &&
              lists_every_member<CheckpointPlan>());

}  // namespace mlps::checkpointing
