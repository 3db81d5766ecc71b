#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/checkpointing/plan.hpp"
#include "storage/store.hpp"
#include "world/host_list.hpp"
#include "world/transport.hpp"

/// The uploads of processes that were killed: nobody aborts them unless the processes that are left do.
namespace mlps::checkpointing {

/// What was done about them, by the process whose part it was.
struct LostUploads {
  std::vector<std::string> hosts;  ///< whose processes are gone; empty: nothing was to be done here
  uint64_t aborted = 0;
  std::optional<Error> error;  ///< why some may still be open

  /// What the log should say of it; nothing if there is nothing to say.
  std::optional<std::string> warning() const;
};

/// To be called in every process after its run, before the transport is closed; does nothing unless the run failed and
/// a process is gone. The first process that is left aborts the uploads that the ranks of those gone have left open,
/// of any checkpoint of the plan. Takes 10 s at most, whatever the store does. Stores without uploads are left alone.
LostUploads abort_uploads_of_lost(const CheckpointPlan& plan, const std::vector<world::HostShare>& shares,
                                  world::Transport& transport, storage::Store& store);

/// The same for a folder of which every unfinished upload belongs to this run: all below the store's root.
LostUploads abort_all_uploads_after_loss(world::Transport& transport, storage::Store& store);

}  // namespace mlps::checkpointing
