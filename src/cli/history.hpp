#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

/// Commands recorded in `results_dir`/.mlps/history, one line each: id,timestamp,<command quoted for a shell>.
namespace mlps::cli {

struct HistoryEntry {
  uint64_t id = 0;
  std::string stamp;    ///< YYYYMMDD_HHMMSS, local
  std::string command;  ///< quoted for a shell, beginning with "mlpstorage"
};

/// `arguments` as they are recorded: quoted, secrets masked (results/redact.hpp).
std::string recorded_command(const std::vector<std::string>& arguments);

/// Appends one command; safe among processes. A damaged or cut last line stays as it is and harms nothing.
Status append_history(const std::string& results_dir, const std::vector<std::string>& arguments);

/// All readable entries in order; damaged lines are left out. No file: an empty list.
Result<std::vector<HistoryEntry>> read_history(const std::string& results_dir);

/// The arguments of entry `id`, to run it again. E102 if there is none, if it can't be taken apart, if it isn't a
/// benchmark command, or if a secret was removed from it.
Result<std::vector<std::string>> recorded_arguments(const std::string& results_dir, uint64_t id);

}  // namespace mlps::cli
