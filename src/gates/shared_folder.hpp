#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "gates/probe_file.hpp"
#include "world/world.hpp"

/// CAP-02: do all hosts see the folder that process 0 sees? A folder of the same name on every host's own disk would
/// pass every other gate, and the run would measure those.
namespace mlps::gates {

/// A file of process 0's folder by which the others tell. Device ids are no part of it: network and parallel file
/// systems have another one on every host.
struct SharedMark {
  std::string name;  ///< below the folder
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  std::string content;  ///< of a probe; empty: a file that was there before, whose content nobody reads
};

/// Makes a mark in `folder`, below `model_folder`, which is made if need be: a probe with a name and a content that
/// nobody else has. The file lives as long as `probe`. E404, as in the original, whatever was in the way.
Result<SharedMark> make_mark(const std::string& folder, const std::string& model_folder,
                             std::vector<std::string>& warnings, std::optional<ProbeFile>& probe);

/// A mark of the file `name` of `folder`, for a run that writes nothing.
Result<SharedMark> mark_of(const std::string& folder, const std::string& name);

/// Another host's look at the mark; looks again for `patience_ns`, and no longer than until a failure, while the mark
/// is not there. What is found, if it is not the mark: E404 for no file, another file or another content, else the
/// system's error. `first_host` is the host of process 0.
std::optional<Error> look_for(const SharedMark& mark, const std::string& folder, const std::string& first_host,
                              Nanos patience_ns, const world::Failure& failure);

}  // namespace mlps::gates
