#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/tree.hpp"

/// The run folders of a results directory as a user handles them: listed, numbered, moved into the trash.
namespace mlps::reports {

/// What became of a run; those that need a look come first.
enum class RunState { kIncomplete, kRunning, kFailed, kComplete };
inline constexpr std::array<std::string_view, 4> kRunStates = {"incomplete", "running", "failed", "complete"};
inline std::string_view name_of(RunState state) {
  return kRunStates[static_cast<size_t>(state)];
}

struct Run {
  uint64_t id = 0;   ///< of the ledger; never given twice
  std::string leaf;  ///< path of its folder, relative to the results directory
  RunState state = RunState::kIncomplete;
  std::string verdict;       ///< of this program's metadata, "passed"; empty: they have none
  std::string verification;  ///< "CLOSED", "OPEN", "INVALID"; empty: nobody judged
  std::string mode, orgname, system, benchmark, model, command;
  std::string run_datetime;
  std::string code_image;     ///< the pointer; empty: none
  std::string registered_at;  ///< by the ledger
  uint64_t bytes = 0;         ///< of all files in its folder
};

/// Reads all run folders below closed/, open/ and whatif/, and gives each its number of the ledger
/// `.mlps/runs.jsonl`: known ones keep theirs, others are registered in the order of their times. Sorted by state, then
/// by number. Fails with the error of the ledger; folders that can't be read are runs that are incomplete.
Result<std::vector<Run>> list_runs(const rules::Tree& tree);

/// Moves folders, which are relative to the results directory, into `.mlps/trash/<batch>/`, with the same path below
/// it, and returns that batch, relative. Where one can't be moved, those before it have been.
Result<std::string> move_to_trash(const rules::Tree& tree, const std::vector<std::string>& folders);
/// Writes into the ledger that these runs are in the trash.
Status note_trashed(const rules::Tree& tree, const std::vector<Run>& runs, const std::string& batch);

/// Removes the trash; returns how many batches that were, and their bytes.
struct Purged {
  size_t batches = 0;
  uint64_t bytes = 0;
};
Result<Purged> purge_trash(const rules::Tree& tree, bool really);

/// Returns the code images that no run points to, not even one in the trash, relative to the results directory.
std::vector<std::string> unused_images(const rules::Tree& tree, const std::vector<Run>& runs);

/// Returns the bytes of all files below a folder of the tree, without following links.
uint64_t bytes_below(const rules::Tree& tree, const std::string& folder);

}  // namespace mlps::reports
