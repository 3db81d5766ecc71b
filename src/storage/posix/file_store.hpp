#pragma once

#include <memory>
#include <optional>

#include "storage/open.hpp"
#include "storage/store.hpp"

namespace mlps::storage {

/// Opens a file:// root: buffered pread and pwrite, blocking; what a commit does is `durability`.
Result<std::unique_ptr<Store>> open_file_store(const Location& root, FadviseMode fadvise,
                                               Durability durability = Durability::kEachObject);

/// Opens a direct:// root: O_DIRECT for writing and reading, through io_uring (or pread/pwrite where the kernel
/// refuses io_uring; describe() says which). A file system that refuses O_DIRECT is an error that names it.
/// `io_uring_errno`, for tests of the way without it, is the kernel's answer: 0, or the errno it refuses with.
Result<std::unique_ptr<Store>> open_direct_store(const Location& root, Durability durability = Durability::kEachObject,
                                                 std::optional<int> io_uring_errno = {});

}  // namespace mlps::storage
