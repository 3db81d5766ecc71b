#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "location/location.hpp"
#include "storage/object/settings.hpp"
#include "storage/s3/checksums.hpp"
#include "storage/s3/credentials.hpp"
#include "storage/s3/endpoint_sources.hpp"
#include "storage/s3/fixed_headers.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// All that a store was opened with. Immutable afterwards, but for what `credentials` renews.
struct Settings : object::TransferSettings {
  std::vector<Endpoint> endpoints;
  std::string endpoint_source;  ///< the variable or profile that named them, or kDefaultEndpoint
  std::string region;
  std::string region_source = "default";
  std::shared_ptr<KeySource> credentials;
  bool virtual_host = false;              ///< bucket in front of the host instead of in the path
  bool sign_payload = false;              ///< SHA-256 of bodies instead of UNSIGNED-PAYLOAD
  Checksum checksum = Checksum::kCrc32c;  ///< with PUTs and parts
  bool asks_checksum = true;              ///< HEAD asks for the checksum that the server has
  bool google = false;                ///< gs:// by Google's XML API: checksums come in answers alone, as x-goog-hash
  bool express = false;               ///< a directory bucket: signatures and lists have rules of their own
  bool sessions = false;              ///< the keys are those of sessions with it
  FixedHeaders headers;               ///< encryption, storage class, who pays, and the user's own
  std::vector<std::string> warnings;  ///< what is set and has no effect; to be said when the store is opened

  bool is_aws_default() const { return endpoint_source == kDefaultEndpoint; }
};

/// Returns the settings for `root` (s3 or gs) from the variables and the files of AWS profiles; docs/object-storage.md
/// has their table. Errors (E101 to E105) name the variable or the file. Sends no request.
Result<Settings> resolve_settings(const Location& root, const Environment& environment);

/// Returns the settings as Store::describe() does: never a secret.
storage::SettingList describe(const Settings& settings);

}  // namespace mlps::s3
