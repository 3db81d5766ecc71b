#pragma once

#include <string>

#include "base/error.hpp"

namespace mlps::storage::posix {

/// What a file system asks of O_DIRECT.
struct DirectLimits {
  size_t offset_alignment = 4096;  ///< of offsets and lengths; at least 4096
  size_t memory_alignment = 4096;  ///< of buffers; at least 4096
  uint64_t preferred_bytes = 0;    ///< the file system's own word on the size of an I/O (st_blksize)
  std::string origin;              ///< where the numbers come from, for describe()
};

/// Finds out whether O_DIRECT works below `root`, which need not exist, by writing and reading one block of an unnamed
/// file in its nearest existing ancestor: nothing is left behind, even by a crash. E105 names the path, the file system
/// and the way out if it refuses. A folder that may not be written to can't be asked: then the alignment is assumed,
/// and the first open will tell.
Result<DirectLimits> probe_direct(const std::string& root);

/// The type of the file system that holds `path` ("ext4"), as the kernel's mount table has it.
std::string file_system_name(const std::string& path);

}  // namespace mlps::storage::posix
