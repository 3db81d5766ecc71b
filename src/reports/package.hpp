#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/tree.hpp"

namespace mlps::reports {

struct PackedFile {
  std::string path;  ///< relative to the tree
  uint64_t bytes = 0;
  std::string sha256;  ///< of what was packed; empty before
};

/// Returns the files of a submission, sorted: those below closed/ and open/, the code images that their runs use, and
/// the tables of the root. Neither whatif/ nor what begins with '.' at the root belongs to it. Links and what is no
/// file are told in `problems`, and left out.
std::vector<PackedFile> files_to_pack(const rules::Tree& tree, rules::Problems& problems);

/// Writes them as a gzip-compressed tar archive (POSIX, pax) to `path`, in pieces: a temporary file beside it, then a
/// rename. Sets the digests of `files`. Returns the digest of the archive. Fails with the error of the system, and if a
/// file changes its size meanwhile.
Result<std::string> write_archive(const rules::Tree& tree, std::vector<PackedFile>& files, const std::string& path);

}  // namespace mlps::reports
