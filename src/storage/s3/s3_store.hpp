#pragma once

#include <memory>

#include "base/environment.hpp"
#include "storage/store.hpp"

namespace mlps::storage {

/// Opens an s3:// or gs:// (XML API with HMAC keys) root. Settings and credentials come from `environment`
/// (docs/object-storage.md lists them). Fails with E101/E102 naming the variable when a setting is missing or can't be
/// used; sends no request.
Result<std::unique_ptr<Store>> open_s3_store(const Location& root, const Environment& environment);

}  // namespace mlps::storage
