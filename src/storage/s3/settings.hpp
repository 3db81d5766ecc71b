#pragma once

#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "location/location.hpp"
#include "storage/object/settings.hpp"
#include "storage/s3/endpoint.hpp"
#include "storage/s3/sigv4.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// All that a store was opened with. Immutable afterwards.
struct Settings : object::TransferSettings {
  std::vector<Endpoint> endpoints;
  std::string endpoint_source;  ///< the variable that named them, or "default"
  std::string region;
  Credentials credentials;
  bool virtual_host = false;  ///< bucket in front of the host instead of in the path
  bool sign_payload = false;  ///< SHA-256 of bodies instead of UNSIGNED-PAYLOAD
  bool checksum = true;       ///< CRC32C with PUTs and parts
};

/// Returns the settings for `root` (s3 or gs) from the variables; docs/object-storage.md has their table. Errors (E101
/// to E105) name the variable.
Result<Settings> resolve_settings(const Location& root, const Environment& environment);

/// Returns the settings as Store::describe() does: never a secret.
storage::SettingList describe(const Settings& settings);

}  // namespace mlps::s3
