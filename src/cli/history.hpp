#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

/// The commands that are recorded in `results_dir`/.mlps/history, one line each: id,timestamp,<command quoted for a
/// shell>.
namespace mlps::cli {

struct HistoryEntry {
  uint64_t id = 0;
  std::string stamp;               ///< YYYYMMDD_HHMMSS, local
  std::string command;             ///< quoted for a shell, beginning with "mlpstorage"
  std::optional<int> exit_status;  ///< absent: it goes on, or was killed
  std::string folder;              ///< its run folder; empty: none was claimed
};

/// Returns what became of a command in words: "passed", "failed (status 3)", "refused (status 2)", "done" of one that
/// has no run folder, "not ended".
std::string verdict_of(const HistoryEntry& entry);

/// Returns `arguments` as they are recorded: quoted, with secrets masked (results/redact.hpp).
std::string recorded_command(const std::vector<std::string>& arguments);

/// Appends one command, and returns its id; processes may do so at the same time. A damaged or cut last line stays as
/// it is and does no harm.
Result<uint64_t> append_history(const std::string& results_dir, const std::vector<std::string>& arguments);

/// Appends to `results_dir`/.mlps/history-ends how a command of append_history() ended.
Status append_end(const std::string& results_dir, uint64_t id, int exit_status, const std::string& folder);

/// Returns all readable entries in order, without damaged lines; an empty list where there is no file.
Result<std::vector<HistoryEntry>> read_history(const std::string& results_dir);

/// Returns the arguments of entry `id`, to run it again. E102 if there is none, if it can't be split, if it isn't a
/// benchmark command, or if a secret was removed from it.
Result<std::vector<std::string>> recorded_arguments(const std::string& results_dir, uint64_t id);

}  // namespace mlps::cli
