#pragma once

#include <memory>

#include "base/environment.hpp"
#include "storage/azure/settings.hpp"
#include "storage/server_options.hpp"
#include "storage/store.hpp"

namespace mlps::azure {

/// Returns a store with these settings, which no variable decided: tests use short back-offs.
std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings);

}  // namespace mlps::azure

namespace mlps::storage {

/// Opens an az:// root. Settings and credentials come from `environment` (docs/object-storage.md has the table). Fails
/// with E101 to E105, naming the variable, when a setting is missing or can't be used. Sends no request.
Result<std::unique_ptr<Store>> open_azure_store(const Location& root, const ServerOptions& options,
                                                const Environment& environment);

/// Returns what describe() of that store would, without opening it.
Result<SettingList> describe_azure_servers(const Location& root, const Environment& environment);

}  // namespace mlps::storage
