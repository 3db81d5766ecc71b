#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace mlps {

/// The stable [E###] codes. 1xx to 5xx and 9xx have the numbers and meanings of mlpstorage 3.0; 6xx are this program's
/// own, for failures of a storage server and damaged data. Only `exit_code()` maps codes to a process status.
enum class ErrorCode : int {
  kConfigMissing = 101,
  kConfigInvalid = 102,
  kConfigFileNotFound = 103,
  kConfigParse = 104,
  kConfigIncompatible = 105,
  kCommandFailed = 201,
  kTimeout = 202,
  kInterrupted = 203,
  kDependencyMissing = 204,
  kValidationInvalid = 301,
  kValidationOpenOnly = 302,
  kSubmissionFailed = 303,
  kPathNotFound = 401,
  kPermissionDenied = 402,
  kDiskFull = 403,
  kInvalidStructure = 404,
  kMpiNotAvailable = 501,
  kHostUnreachable = 502,
  kMpiCommunication = 503,
  kClusterInfo = 504,
  kStorageUnreachable = 601,  ///< no connection, reset, or time-out after all attempts
  kStorageDenied = 602,       ///< credentials or rights refused by the server
  kStorageNotFound = 603,     ///< bucket or object is not there
  kStorageThrottled = 604,    ///< the server keeps asking to slow down
  kStorageProtocol = 605,     ///< the server sent an invalid answer
  kDataMismatch = 606,        ///< bytes, size or checksum differ from what was written
  kStorageFull = 607,         ///< quota or capacity of the server is exhausted
  kStorageIo = 608,           ///< the file system or device reported an I/O error
  kInternal = 901,
  kNotImplemented = 902,
};

/// An expected failure, as a value. `message` is one line with the action, its object (path, or endpoint, key and
/// range) and the system's or server's own words; `details` holds facts (attempts, status, request id); `suggestion`
/// tells the user what to do. None of them ever contains a secret.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string details = {};
  std::string suggestion = {};
  /// The host that the error comes from ("host b", "host b (process 1), rank 3"), to stand in front of the message.
  /// Empty: none has to, because the error is of no single host or the message names it. Nothing: this process's own.
  std::optional<std::string> host = {};
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}
inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string details = {},
                                  std::string suggestion = {}) {
  return fail(Error{code, std::move(message), std::move(details), std::move(suggestion)});
}

/// Returns the message, with the host in front where there is one: "host b: message".
std::string message_with_host(const Error& error);

/// Returns "[E401] host b: message" and, where present, the indented lines "Details:" and "Suggestion:".
std::string render(const Error& error);

/// Returns "E401" for kPathNotFound.
std::string code_name(ErrorCode code);

/// Returns the exit status of the process for an error, as listed in docs/compatibility.md and by `mlpstorage --help`:
/// 1 rules verdict, 2 arguments, 3 not found or full, 4 permission, 5 configuration file, 6 failure, 7 time-out,
/// 8 interrupted.
int exit_code(ErrorCode code);

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitArguments = 2;

/// Returns the Error for an errno: E401 for ENOENT, E402 for EACCES/EPERM/EROFS, E403 for ENOSPC/EDQUOT/EFBIG, else
/// E608. `what` names the action and its object, for example "write /mnt/ckpt/x.pt at offset 0".
Error errno_error(int errno_value, std::string what);

}  // namespace mlps
