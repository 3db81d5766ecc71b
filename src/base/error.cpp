#include "base/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace mlps {

std::string code_name(ErrorCode code) {
  return fmt::format("E{:03d}", static_cast<int>(code));
}

std::string message_with_host(const Error& error) {
  return error.host && !error.host->empty() ? fmt::format("{}: {}", *error.host, error.message) : error.message;
}

std::string render(const Error& error) {
  std::string text = fmt::format("[{}] {}", code_name(error.code), message_with_host(error));
  if (!error.details.empty()) text += "\n  Details: " + error.details;
  if (!error.suggestion.empty()) text += "\n  Suggestion: " + error.suggestion;
  return text;
}

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kConfigMissing:
    case ErrorCode::kConfigInvalid:
    case ErrorCode::kConfigIncompatible:
      return kExitArguments;
    case ErrorCode::kConfigFileNotFound:
    case ErrorCode::kConfigParse:
      return 5;
    case ErrorCode::kValidationInvalid:
    case ErrorCode::kValidationOpenOnly:
    case ErrorCode::kSubmissionFailed:
      return 1;
    case ErrorCode::kPathNotFound:
    case ErrorCode::kDiskFull:
    case ErrorCode::kInvalidStructure:
    case ErrorCode::kStorageNotFound:
    case ErrorCode::kStorageFull:
      return 3;
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kStorageDenied:
      return 4;
    case ErrorCode::kTimeout:
      return 7;
    case ErrorCode::kInterrupted:
      return 8;
    default:
      return 6;
  }
}

Error errno_error(int errno_value, std::string what) {
  Error error{ErrorCode::kStorageIo, fmt::format("{}: {}", what, std::generic_category().message(errno_value))};
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
      error.code = ErrorCode::kPathNotFound;
      error.suggestion = "create the folder, or correct the path";
      break;
    case ENAMETOOLONG:
      error.code = ErrorCode::kConfigInvalid;
      error.suggestion = "shorten it: a name may have 255 bytes, a path 4095";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      error.code = ErrorCode::kPermissionDenied;
      error.suggestion = "check owner, mode and mount options of the path";
      break;
    case ENOSPC:
    case EDQUOT:
      error.code = ErrorCode::kDiskFull;
      error.suggestion = "free space, inodes (df -i) or quota on this file system, or choose another folder";
      break;
    case EFBIG:
      error.code = ErrorCode::kDiskFull;
      error.suggestion =
          "raise the limit of a file's size (ulimit -f), or take a file system that holds files of this size";
      break;
    case ENOMEM:
      error.suggestion = "raise the memory limit of the process (ulimit -v, memory.max of the control group)";
      break;
    case ENOTCONN:
    case ECONNABORTED:
      error.suggestion = "the program that serves this file system (FUSE) has ended: mount it again, then repeat";
      break;
    case EMFILE:
    case ENFILE:
      error.suggestion = "raise the limit of open files (ulimit -n)";
      break;
    default:
      break;
  }
  return error;
}

}  // namespace mlps
