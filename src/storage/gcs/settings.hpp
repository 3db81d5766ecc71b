#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "location/location.hpp"
#include "storage/endpoint.hpp"
#include "storage/gcs/identity.hpp"
#include "storage/object/credentials.hpp"
#include "storage/object/settings.hpp"
#include "storage/store.hpp"

namespace mlps::gcs {

/// The two interfaces of Google Cloud Storage.
enum class Api {
  kJson,  ///< bearer tokens, or nobody
  kXml,   ///< HMAC keys: a dialect of S3
};

/// The interface that is used, and why.
struct ApiChoice {
  Api api = Api::kJson;
  std::string reason;  ///< "HMAC keys in AWS_ACCESS_KEY_ID"
};

/// Returns the interface for gs:// locations: MLPSTORAGE_GCS_API if it says json or xml; else the one that goes with
/// the first that is set of: STORAGE_EMULATOR_HOST, MLPSTORAGE_GCS_CREDENTIALS, GOOGLE_APPLICATION_CREDENTIALS (JSON);
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE (XML); without any of them JSON,
/// whose identity find_identity() looks for. E102 for another value.
Result<ApiChoice> choose_api(const Environment& environment);

/// All that a store of the JSON API was opened with. Immutable afterwards.
struct Settings : object::TransferSettings {
  ApiChoice api;
  std::vector<storage::Endpoint> endpoints;
  std::string endpoint_source;  ///< the variable that named them, or "default"
  FoundIdentity identity;
  std::shared_ptr<object::Renewed<std::string>> token;  ///< null: requests carry none
  std::string quota_project;                            ///< pays for requests; empty: the bucket's
};

/// Returns the settings of the JSON API for `root` from the variables; docs/object-storage.md has their table. Errors
/// (E101 to E105) name the variable. Sends no request.
Result<Settings> resolve_settings(const Location& root, const Environment& environment);

/// Returns the settings as Store::describe() does: never a secret.
storage::SettingList describe(const Settings& settings);

}  // namespace mlps::gcs
