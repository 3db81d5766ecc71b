#pragma once

#include "benchmarks/training/plan.hpp"
#include "world/archive.hpp"

/// The fields of a plan, for the hash on which the processes of a run agree.
namespace mlps::training {

constexpr auto fields_of(Of<RunPlan::Checkpoint>) {
  return std::tuple(kept("", &RunPlan::Checkpoint::epoch), kept("", &RunPlan::Checkpoint::step));
}

constexpr auto fields_of(Of<RunPlan>) {
  using P = RunPlan;
  return std::tuple(kept("", &P::accelerators), kept("", &P::epochs), kept("", &P::files),
                    kept("", &P::samples_per_file), kept("", &P::batch_size), kept("", &P::steps_per_epoch),
                    kept("", &P::samples_unread), kept("", &P::eval_files), kept("", &P::eval_batch_size),
                    kept("", &P::eval_steps), kept("", &P::eval_epochs), kept("", &P::checkpoints),
                    kept("", &P::nominal_bytes_per_epoch));
}

static_assert(lists_every_member<RunPlan::Checkpoint>() && lists_every_member<RunPlan>());

}  // namespace mlps::training
