#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"
#include "world/transport.hpp"

/// Gates: checks before a run, so that everything that would stop or spoil it is reported before the first byte, all at
/// once and in under a second.
namespace mlps::gates {

/// The input of the gates: the plan, which is the same in every process, with the process's own store and buffers. The
/// gates decide nothing; they only check.
struct Request {
  storage::Store* store = nullptr;                ///< the checkpoint or data folder, opened
  std::string folder_word = "checkpoint folder";  ///< its name in messages
  uint32_t new_folders = 1;                       ///< missing folders at the end of its path that may be created
  uint64_t largest_object_bytes = 0;              ///< of those that the run writes; 0: not known, so no upload is tried
  std::optional<uint64_t> wanted_part_bytes = {};  ///< the part size they are written with; nothing: the store's
  uint64_t bytes_to_write = 0;  ///< exact, from the plan; 0: the run only reads, and the gates only list
  uint64_t files_to_write = 0;  ///< in which they are; 0: not known
  /// How many of the bytes take the place of bytes that are stored already. Asked in process 0, and only if there is no
  /// room for all. May be empty.
  std::function<Result<uint64_t>()> bytes_in_place = {};
  std::string results_dir;            ///< process 0's; empty skips the gates of the results
  uint64_t results_bytes = 16 << 20;  ///< room for the result files
  std::string separation_waived_by;   ///< why a shared file system is only a warning; empty: it fails
  uint64_t buffer_bytes = 0;          ///< I/O memory of the plan
  bool checks_job =
      true;  ///< warn of differing clocks and of several processes per host; false for further folders of a run
  /// How long to wait until a host sees a file that process 0 created: a network file system may cache for a while that
  /// the name did not exist.
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
  /// The failures of all hosts. With several processes each message begins with "host b: "; failures that several hosts
  /// share are merged into one of "hosts b, c: ". Filled in process 0 only.
  std::vector<Error> failures;
  std::vector<std::string> warnings;  ///< likewise
  /// The first of `failures`, in every process. If set, the run must not start, and every process ends with its status.
  std::optional<Error> first_failure;
  std::optional<SeparationFinding> separation;  ///< process 0
  uint64_t available_memory_bytes = 0;          ///< of this host
};

/// Runs every gate that applies to the store. Collective: every process calls it.
///
/// Process 0 first creates the folder on a file system, if no more than `new_folders` levels are missing. Then every
/// process checks that the store is reachable and writable (one request of every kind that the run sends, with a small
/// probe object, and on files all that the run does with its own; a run that only reads lists the folder instead, and
/// writes nothing) and that its buffers fit the memory that is available to it. With several hosts on a file system,
/// gate CAP-02 checks that all see the same folder. Process 0 also checks capacity (CAP-01), separation (CAP-03) and
/// the room for the results. Probes are always removed; one that can't be removed is a warning.
///
/// Failures of gates are in the report. The returned error means that the processes could not communicate: it is the
/// process group's first failure.
Result<Report> run_gates(const Request& request, world::Transport& transport);

}  // namespace mlps::gates
