#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/environment.hpp"
#include "storage/file_options.hpp"
#include "storage/server_options.hpp"
#include "storage/store.hpp"

namespace mlps::storage {

struct StoreOptions {
  FadviseMode fadvise = FadviseMode::kDontNeed;  ///< file:// only
  Durability durability = Durability::kEachObject;
  ServerOptions servers = {};  ///< of these op_log counts for every location
  std::string fault = {};      ///< empty, or a specification for the fault-injecting wrapper (see FaultPlan::parse())
  uint64_t fault_seed = 1;
};

/// Opens the store that `root` names; server settings and credentials come from `environment`. Checks settings and
/// reachability of what can be checked without a request (missing credentials, a bad endpoint text, a file system
/// that refuses O_DIRECT), and fails with an error that names the variable or the path. No request is sent to a server.
Result<std::unique_ptr<Store>> open_store(const Location& root, const StoreOptions& options,
                                          const Environment& environment);

/// Returns the settings with which open_store() reaches the servers of `root`, as Store::describe() has them, without
/// opening anything; empty for locations without servers. Fails as open_store() does.
Result<SettingList> describe_servers(const Location& root, const Environment& environment);

}  // namespace mlps::storage
