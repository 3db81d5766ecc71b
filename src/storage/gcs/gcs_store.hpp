#pragma once

#include <chrono>
#include <memory>

#include "base/environment.hpp"
#include "storage/gcs/settings.hpp"
#include "storage/server_options.hpp"
#include "storage/store.hpp"

namespace mlps::gcs {

/// Returns a store of the JSON API with these settings, which no variable decided: tests use short back-offs.
std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings);

}  // namespace mlps::gcs

namespace mlps::storage {

/// Opens a gs:// root by the interface that gcs::choose_api() names. Settings and credentials come from `environment`
/// (docs/object-storage.md has the table). Fails with E101 to E105, naming the variable, when a setting is missing or
/// can't be used. Sends no request.
Result<std::unique_ptr<Store>> open_gcs_store(const Location& root, const ServerOptions& options,
                                              const Environment& environment);

/// Returns what describe() of that store would, without opening it.
Result<SettingList> describe_gcs_servers(const Location& root, const Environment& environment);

}  // namespace mlps::storage
