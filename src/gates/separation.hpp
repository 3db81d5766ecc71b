#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "gates/gates.hpp"

namespace mlps::gates {

/// CAP-03: are two existing folders on different file systems? A file made in `checkpoint_folder` is hard-linked into
/// `results_dir`; EXDEV means separate. Both names are removed whatever happens; a name that can't be removed is a
/// warning. E402 where the file can't be made or linked, with the system's words.
Result<SeparationFinding> probe_separation(const std::string& checkpoint_folder, const std::string& results_dir,
                                           std::vector<std::string>& warnings);

/// The failure that a finding of one file system is (E404), or nothing.
std::optional<Error> separation_error(const SeparationFinding& finding);

}  // namespace mlps::gates
