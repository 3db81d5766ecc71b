#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mlps::gates {

/// Creates `folder` if it is missing, with at most `levels` missing folders at the end of its path, and adds those that
/// it made to `made`, outermost first. `word` names it in messages.
Status make_folder(const std::string& folder, const std::string& word, uint32_t levels, std::vector<std::string>& made);

/// Removes those of `made` that are empty, innermost first.
void remove_made_folders(const std::vector<std::string>& made);

/// Checks that a folder that is only read exists: E401 if it is missing, E608 if it is not a folder.
Status find_folder(const std::string& folder, const std::string& word);

/// The free space at a folder, in bytes for this user. Nothing where the file system doesn't say: some report no blocks
/// at all.
std::optional<uint64_t> free_bytes(const std::string& folder);
/// Returns how many new files the file system of a folder has inodes for; nothing where it makes them as it needs them.
std::optional<uint64_t> free_files(const std::string& folder);

}  // namespace mlps::gates
