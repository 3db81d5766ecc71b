#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "gates/gates.hpp"

namespace mlps::gates {

/// Gate CAP-03: finds out whether two existing folders are on different file systems, by hard-linking a probe file of
/// `checkpoint_folder` into `results_dir`; EXDEV means separate. Both names are removed; failing to is a warning. Fails
/// with E402 if the file can't be created or linked.
Result<SeparationFinding> compare_file_systems(const std::string& checkpoint_folder, const std::string& results_dir,
                                               std::vector<std::string>& warnings);

/// Returns E404 if the finding says that both folders are on one file system.
std::optional<Error> separation_error(const SeparationFinding& finding);

}  // namespace mlps::gates
