#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/environment.hpp"
#include "storage/store.hpp"

namespace mlps::storage {

/// The advice (posix_fadvise) that the file backend gives the kernel about the page cache.
enum class FadviseMode { kNone, kSequential, kDontNeed };

/// When a committed object survives a crash of the host: at its commit, or at the next Store::flush(), which costs one
/// call for many small files. Only file systems know the difference.
enum class Durability { kEachObject, kOnFlush };

struct StoreOptions {
  FadviseMode fadvise = FadviseMode::kDontNeed;  ///< file:// only
  Durability durability = Durability::kEachObject;
  std::string fault;  ///< empty, or a specification for the fault-injecting wrapper (storage/fault/fault_plan.hpp)
  uint64_t fault_seed = 1;
};

/// Opens the store that `root` names; server settings and credentials come from `environment`. Checks settings and
/// reachability of what can be checked without a request (missing credentials, a bad endpoint text, a file system
/// that refuses O_DIRECT), and fails with an error that names the variable or the path. No request is sent to a server.
Result<std::unique_ptr<Store>> open_store(const Location& root, const StoreOptions& options,
                                          const Environment& environment);

}  // namespace mlps::storage
