#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "gates/gates.hpp"

namespace mlps::gates {

/// Gate CAP-03: finds out whether two existing folders are on different file systems, by their device numbers and the
/// mount table, and writes nothing: bind mounts of one file system, and two mounts of one block device or of one export
/// (subvolumes), are one. Fails with E402 if one of the folders can't be looked at.
Result<SeparationFinding> compare_file_systems(const std::string& checkpoint_folder, const std::string& results_dir);

/// Returns E404 if the finding says that both folders are on one file system.
std::optional<Error> separation_error(const SeparationFinding& finding);

}  // namespace mlps::gates
