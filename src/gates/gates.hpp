#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"
#include "world/transport.hpp"

/// Preflight: what would stop or spoil a run is found before the first byte, all of it at once, in under a second.
namespace mlps::gates {

/// What the gates look at: the same plan in every process of a job, with the process's own store and buffers.
/// Everything is decided elsewhere (plan, command line); the gates only check.
struct Request {
  storage::Store* store = nullptr;                ///< the checkpoint or data folder, opened
  std::string folder_word = "checkpoint folder";  ///< what messages call it
  uint32_t new_folders = 1;            ///< folders at the end of its path that may be made; more are likely a slip
  std::string model_folder;            ///< below the store's root, e.g. "llama3-8b"; may be empty
  uint64_t bytes_to_write = 0;         ///< exact, from the plan; 0: a run that only reads, nothing but listed
  std::string results_dir;             ///< process 0's; empty skips the separation gate
  bool separation_is_warning = false;  ///< --skip-fs-separation-gate
  uint64_t buffer_bytes = 0;           ///< I/O memory of the plan
  uint64_t budget_bytes = 0;           ///< --io-memory
  bool looks_at_job = true;            ///< warn of clocks apart and of crowded hosts; false for a run's further folders
  /// How long a host may take to see what process 0 has made. A network file system may remember for a while that a
  /// name was not there.
  Nanos visible_within_ns = 10'000'000'000;
};

/// The finding of gate CAP-03, which is stored as fs_separation.json in the run folder.
struct SeparationFinding {
  std::string checkpoint_path, results_path, checkpoint_realpath, results_realpath;
  bool same_filesystem = false;
  std::string probed_at;  ///< UTC, Z
  std::string probed_by_host;
};

struct Report {
  /// Of all hosts, each with its [E###], what was found, what to do. With several processes "host b: " stands before
  /// the message; what several hosts find alike is one failure of "hosts b, c: ". Process 0 has them, the others none.
  std::vector<Error> failures;
  std::vector<std::string> warnings;  ///< likewise
  /// In every process the first of `failures`. Set: the run must not start, and every process ends with this status.
  std::optional<Error> first_failure;
  std::optional<SeparationFinding> separation;  ///< process 0
  uint64_t available_memory_bytes = 0;          ///< of this host
};

/// Runs every gate that applies to the store. Collective: every process calls it, and all check at the same time what
/// process 0 has made ready.
///
/// Process 0 makes the folder of a file system if what is above `new_folders` is there. Then, on every host: reachable
/// and writable (PUT, GET, compare, DELETE of a small probe object below `model_folder`; a run that only reads lists it
/// instead), memory against MemAvailable; with several hosts on a file system CAP-02, whether all see one folder; and
/// in process 0 CAP-01 capacity and CAP-03 separation. No probe stays, whatever happens; one that can't be removed is
/// a warning.
///
/// What a gate finds stands in the report. The error is that of the conversation: the job's first failure.
Result<Report> run_gates(const Request& request, world::Transport& transport);

}  // namespace mlps::gates
