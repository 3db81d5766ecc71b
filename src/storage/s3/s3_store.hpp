#pragma once

#include <memory>

#include "base/environment.hpp"
#include "storage/object/context.hpp"
#include "storage/s3/settings.hpp"
#include "storage/server_options.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// Returns what the sessions of a store with these settings share.
std::shared_ptr<object::Context> make_context(const Location& root, Settings settings);

/// Returns a store with these settings, which no variable decided: tests use short back-offs, benchmarks a server of
/// their own.
std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings);

}  // namespace mlps::s3

namespace mlps::storage {

/// Opens an s3:// or gs:// (XML API with HMAC keys) root. Settings and credentials come from `environment`
/// (docs/object-storage.md has the table). Fails with E101 to E105, naming the variable, when a setting is missing or
/// can't be used. Sends no request. Warns when requests will go to AWS because no endpoint
/// is set.
Result<std::unique_ptr<Store>> open_s3_store(const Location& root, const ServerOptions& options,
                                             const Environment& environment);

/// Returns what describe() of that store would, without opening it.
Result<SettingList> describe_s3_servers(const Location& root, const Environment& environment);

}  // namespace mlps::storage
