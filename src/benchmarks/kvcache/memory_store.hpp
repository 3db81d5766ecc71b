#pragma once

#include <memory>

#include "storage/store.hpp"

namespace mlps::kvcache {

/// Returns a store that keeps its objects in this process's memory: the CPU tier, whose entries take the memory and the
/// copies that they take on a real host. Blocking, like plain files.
std::unique_ptr<storage::Store> make_memory_store();

}  // namespace mlps::kvcache
