#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mlps::results {

/// Holds the digests of the files that a run left, by which changes made afterwards are found.
inline constexpr const char* kFileListFile = "mlpstorage_files.json";

/// Returns the SHA-256 of a file in hexadecimal digits; it is read in pieces.
Result<std::string> sha256_of_file(const std::string& path);

/// Returns the list of the files of a run folder: a JSON object of SHA-256 by path. The program's own logs
/// (mlpstorage*.log), which go on, and marks of the run are not in it. Stops with the error that `stop` returns.
Result<std::string> file_list_text(const std::string& folder, const std::function<std::optional<Error>()>& stop);

/// Returns whether a file, by its path in the run folder, belongs into the list.
bool is_listed_file(std::string_view path);

}  // namespace mlps::results
