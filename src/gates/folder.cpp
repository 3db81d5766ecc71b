#include "gates/folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/text.hpp"

namespace mlps::gates {
namespace {

/// Of a path in which something stands that is no folder.
Error not_a_folder(const std::string& folder, const std::string& word) {
  std::filesystem::path stands = folder;
  struct stat status {};
  while (::stat(stands.c_str(), &status) != 0 && stands.has_relative_path()) stands = stands.parent_path();
  const bool device = S_ISBLK(status.st_mode) || S_ISCHR(status.st_mode);
  return {
      ErrorCode::kPathNotFound,
      fmt::format("use {} {}: {} is {}, not a folder", word, folder, stands.string(), device ? "a device" : "a file"),
      {},
      device ? "give a folder of a file system that is mounted from it" : "give a folder"};
}

}  // namespace

Status make_folder(const std::string& folder, const std::string& word, uint32_t levels,
                   std::vector<std::string>& made) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return fail(not_a_folder(folder, word));
  }
  if (errno == ENOTDIR) return fail(not_a_folder(folder, word));
  if (errno != ENOENT) return fail(errno_error(errno, fmt::format("use {} {}", word, folder)));
  const std::string parent = std::filesystem::path(folder).parent_path().string();
  if (levels > 1) {
    if (Status above = make_folder(parent, word, levels - 1, made); !above) return above;
  }
  if (::mkdir(folder.c_str(), 0777) == 0) {
    made.push_back(folder);
    return {};
  }
  if (errno == EEXIST) return {};
  if (errno == ENOENT) {
    return fail(ErrorCode::kPathNotFound, fmt::format("make {} {}: no folder {}", word, folder, parent), {},
                fmt::format("mkdir -p {}", shell_quoted(parent)));
  }
  return fail(errno_error(errno, fmt::format("make {} {}", word, folder)));
}

void remove_made_folders(const std::vector<std::string>& made) {
  for (auto folder = made.rbegin(); folder != made.rend(); ++folder) (void)::rmdir(folder->c_str());
}

Status find_folder(const std::string& folder, const std::string& word) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    const int reason = errno;
    if (reason == ENOTDIR) return fail(not_a_folder(folder, word));
    Error error = errno_error(reason, fmt::format("use {} {}", word, folder));
    if (reason == ENOENT) error.suggestion = "this run only reads: give the folder that was written before";
    return fail(std::move(error));
  }
  if (!S_ISDIR(status.st_mode)) return fail(not_a_folder(folder, word));
  return {};
}

std::optional<uint64_t> free_bytes(const std::string& folder) {
  struct statvfs space {};
  if (::statvfs(folder.c_str(), &space) != 0 || space.f_blocks == 0) return std::nullopt;
  return uint64_t{space.f_bavail} * space.f_frsize;
}

std::optional<uint64_t> free_files(const std::string& folder) {
  struct statvfs space {};
  if (::statvfs(folder.c_str(), &space) != 0 || space.f_files == 0) return std::nullopt;
  return uint64_t{space.f_favail};
}

}  // namespace mlps::gates
