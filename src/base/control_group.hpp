#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The limits that control groups (cgroup, version 1 and 2) set this process, such as those of a container or a batch
/// job. `root` stands before every path, for tests.
namespace mlps {

/// Returns the folders of the groups of `controller` ("memory", "cpu", "pids") that this process is in: its own and the
/// enclosing ones, innermost first. Every one of them may set a limit.
std::vector<std::string> control_group_folders(std::string_view controller, const std::string& root = {});

/// The memory limit that leaves least room.
struct MemoryLimit {
  uint64_t limit_bytes = 0;
  uint64_t used_bytes = 0;  ///< without files in the page cache, which make way
  std::string folder;       ///< of the group
  uint64_t room_bytes() const { return used_bytes < limit_bytes ? limit_bytes - used_bytes : 0; }
};
/// Returns nothing where no group has a limit.
std::optional<MemoryLimit> memory_limit(const std::string& root = {});

/// Returns how many processors' time the groups allow this process, 1.5 for example; nothing where none limits it.
std::optional<double> processor_limit(const std::string& root = {});

}  // namespace mlps
