#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/units.hpp"

namespace mlps {

/// Returns the content of a file of at most `most_bytes`, for files that people write: settings, lists, credentials.
/// What is no file, a folder, a pipe or a device, is refused at once and never waited for. E103 for what is not
/// there or no file, E104 for a larger one, else the error of the system. `what` names it in errors: "config file".
Result<std::string> read_file(const std::string& path, const std::string& what, uint64_t most_bytes = 16 * kMiB);

}  // namespace mlps
