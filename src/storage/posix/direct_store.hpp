#pragma once

#include <memory>

#include "storage/open.hpp"
#include "storage/store.hpp"

namespace mlps::storage::posix {

/// open_direct_store() with the kernel's answer about io_uring given: 0, or the errno it refuses with. For tests of the
/// way without it.
Result<std::unique_ptr<Store>> open_direct_store(const Location& root, Durability durability, int io_uring_errno);

}  // namespace mlps::storage::posix
