#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"
#include "world/transport.hpp"

/// Aborts the uploads that killed processes have left open: no server does that by itself.
namespace mlps::run {

/// Holds what one process has aborted for those that are gone.
struct LostUploads {
  std::vector<std::string> hosts;  ///< of the processes that are gone; empty: nothing was to be done here
  uint64_t aborted = 0;
  std::optional<Error> error;  ///< why some may still be open

  /// Returns the text of a warning, or nothing if there is nothing to warn of.
  std::optional<std::string> warning() const;
};

/// Returns a filter that lets through the names of the objects that the given processes may have been writing.
using NamesOfProcesses = std::function<storage::NameFilter(const std::vector<uint32_t>& processes)>;

/// Aborts, in the first process that is left, those uploads below `prefix` that processes which are gone have left
/// open. To be called in every process after its run, before the transport is closed; does nothing unless the run
/// failed and a process is gone. Takes 10 s at most, whatever the store does. Stores without uploads are left alone.
LostUploads abort_uploads_of_lost(world::Transport& transport, storage::Store& store, const std::string& prefix,
                                  const NamesOfProcesses& names);

/// Does the same for a folder of which every unfinished upload belongs to this run: all below the root of the store.
LostUploads abort_all_uploads_after_loss(world::Transport& transport, storage::Store& store);

}  // namespace mlps::run
