#pragma once

#include <vector>

#include "benchmarks/checkpointing/plan.hpp"
#include "run/lost_uploads.hpp"
#include "world/host_list.hpp"

namespace mlps::checkpointing {

/// Aborts the uploads of the checkpoints of `plan` that the ranks of lost processes have left open; when and how, see
/// run::abort_uploads_of_lost(). `shares` has the ranks of every process.
run::LostUploads abort_uploads_of_lost(const CheckpointPlan& plan, const std::vector<world::HostShare>& shares,
                                       world::Transport& transport, storage::Store& store);

}  // namespace mlps::checkpointing
