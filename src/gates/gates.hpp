#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"

/// Preflight: what would stop or spoil a run is found before the first byte, all of it at once, in under a second.
namespace mlps::gates {

/// What the gates look at. Everything is decided elsewhere (plan, command line); the gates only check.
struct Request {
  storage::Store* store = nullptr;                ///< the checkpoint or data folder, opened
  std::string folder_word = "checkpoint folder";  ///< what messages call it
  uint32_t new_folders = 1;            ///< folders at the end of its path that may be made; more are likely a slip
  std::string model_folder;            ///< below the store's root, e.g. "llama3-8b"; may be empty
  uint64_t bytes_to_write = 0;         ///< exact, from the plan; 0: a run that only reads, nothing but listed
  std::string results_dir;             ///< empty skips the separation gate
  bool separation_is_warning = false;  ///< --skip-fs-separation-gate
  uint64_t buffer_bytes = 0;           ///< I/O memory of the plan
  uint64_t budget_bytes = 0;           ///< --io-memory
};

/// CAP-03's finding, written as fs_separation.json (spec/results.md section 2.9).
struct SeparationFinding {
  std::string checkpoint_path, results_path, checkpoint_realpath, results_realpath;
  bool same_filesystem = false;
  std::string probed_at;  ///< UTC, Z
  std::string probed_by_host;
};

struct Report {
  std::vector<Error> failures;  ///< each with its [E###], what was found, what to do
  std::vector<std::string> warnings;
  std::optional<SeparationFinding> separation;
  uint64_t available_memory_bytes = 0;
};

/// Runs every gate that applies to the store: reachable and writable (PUT, GET, compare, DELETE of a small probe
/// object below `model_folder`; a run that only reads lists it instead), CAP-01 capacity, CAP-03 file-system
/// separation, memory against MemAvailable. Makes the folder of a file system if what is above
/// `new_folders` is there.
Report run_gates(const Request& request);

}  // namespace mlps::gates
