#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mlps {

/// Writes all of `bytes` to `fd`, over interruptions by signals, short writes, and up to a minute in
/// which a non-blocking pipe is full. Returns 0, or the errno of the
/// write that failed; part of the bytes may have been written then.
int try_write_all(int fd, std::span<const std::byte> bytes);

/// The same, with the failure as an error (E403 when the disk is full); `what` names the action and its object, for
/// example "write /mnt/results/summary.json".
Status write_all(int fd, std::span<const std::byte> bytes, const std::string& what);
Status write_all(int fd, std::string_view text, const std::string& what);

/// Writes `text` as the content of the file `path`, which is opened with `flags` (besides O_WRONLY, O_CREAT and
/// O_CLOEXEC; usually O_TRUNC or O_EXCL) and mode 0644. Errors of creating, writing and closing name the path. A file
/// that was created stays when writing it failed.
Status write_file(const std::string& path, std::string_view text, int flags);

}  // namespace mlps
