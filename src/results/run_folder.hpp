#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace mlps::results {

/// Names the place of a run. Each member but `results_dir` becomes one path segment.
struct RunFolderRequest {
  std::string results_dir;  ///< must exist
  std::string mode;         ///< "closed", "open", "whatif"
  std::string orgname;
  std::string systemname;
  std::string model;         ///< "llama3-8b"
  std::string benchmark;     ///< its word on the command line
  std::string command = {};  ///< a folder below the model's; empty: none, as checkpointing has it
  std::string index = {};    ///< a folder between those of model and command, as vector databases have it; or empty
};

/// Describes a claimed run folder: it exists, this process made it, and no other process writes into it.
struct RunFolder {
  std::string path;          ///< absolute
  std::string run_datetime;  ///< its name, local "YYYYMMDD_HHMMSS"
  /// Holds room for the record in a file without a name, which nothing leaves behind however the run ends.
  std::shared_ptr<Descriptor> room = {};

  /// Gives the room back; to be called before the record is written.
  void release_room() const;
};

/// Makes `<results-dir>/<mode>/<org>/results/<system>/<benchmark>/<model>[/<index>][/<command>]/<YYYYMMDD_HHMMSS>`
/// (parents as needed) and claims it by an exclusive mkdir. The name is the present second; where another run has it,
/// this one waits for the next, so that no name is ahead of the clock. Keeps 2 MiB of room there for the record. Fails
/// with E102 for an unsafe segment, E401 for a missing results directory, E403 without that room, else with the error
/// of the system.
Result<RunFolder> claim_run_folder(const RunFolderRequest& request);

/// Fails with E102, which names `what`, unless `segment` is made of letters, digits, '.', '_' and '-' and is not empty,
/// "." or "..".
Status check_segment(std::string_view what, std::string_view segment);

/// kDurable adds fsync of the file and its folder; kRenamed is for the many small per-rank files.
enum class Durability { kDurable, kRenamed };

/// Writes a whole file so that a reader sees the old text, or the new one, never a part: temporary file in the same
/// folder, then rename. On failure the temporary file is gone and the old text stands.
Status write_file(const std::string& path, std::string_view text, Durability durability = Durability::kDurable);

/// Consumes the next piece of a text.
using Sink = std::function<Status(std::string_view piece)>;

/// Does the same for a text that is too large for memory: `body` gives it piece by piece, of any size. Returns the
/// error of `body`, if it fails; no file is left then.
Status write_file_piecewise(const std::string& path, const std::function<Status(const Sink&)>& body,
                            Durability durability = Durability::kDurable);

}  // namespace mlps::results
