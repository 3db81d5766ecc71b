#pragma once

#include <array>

#include "results/run_context.hpp"

namespace mlps::results {

inline constexpr std::array<std::string_view, 4> kCheckpointKeys = {"framework", "model.", "workflow.", "checkpoint."};
inline constexpr std::array<std::string_view, 3> kFreeCheckpointKeys = {
    "checkpoint.checkpoint_folder", "checkpoint.num_checkpoints_read", "checkpoint.num_checkpoints_write"};
/// Names what two checkpointing runs of one class have alike.
inline constexpr ClassKeys kCheckpointClass = {"checkpointing@1", kCheckpointKeys, kFreeCheckpointKeys};

}  // namespace mlps::results
