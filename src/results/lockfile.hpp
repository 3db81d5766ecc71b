#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

/// The lock file: which program, libraries and kernel ran, so that a later run can be held to the same.
namespace mlps::results {

inline constexpr const char* kLockFile = "mlpstorage.lock";  ///< the default name

/// Returns the lock of this process on this host, as JSON: version, commit, build and SHA-256 of the program; name,
/// path and SHA-256 of each shared library that is mapped now; kernel release, machine, operating system. Fails with
/// the error of the system where a mapped file can't be read.
Result<std::string> lock_text();

struct LockDifference {
  std::string name;  ///< "program", "libfmt.so.9", "kernel"
  std::string locked;
  std::string found;
};

/// Compares the lock in `text` with this process. Names in `skipped` are left out. A library that is mapped and not
/// locked differs, and one that is locked and not mapped, too. E104 if the text is no lock.
Result<std::vector<LockDifference>> compare_lock(const std::string& text, const std::vector<std::string>& skipped);

/// Reads the lock file at `path` and compares it. Fails with the error of the file, and with E301 where something
/// differs: the message names it.
Status verify_lock(const std::string& path, const std::vector<std::string>& skipped);

}  // namespace mlps::results
