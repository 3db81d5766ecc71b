#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "location/location.hpp"
#include "storage/azure/tokens.hpp"
#include "storage/endpoint.hpp"
#include "storage/object/settings.hpp"
#include "storage/store.hpp"

namespace mlps::azure {

/// The protection of a body on its way, checked by the service before it stores it.
enum class Checksum {
  kCrc64,  ///< x-ms-content-crc64
  kMd5,    ///< Content-MD5; of a Put Blob the service keeps it and HEAD shows it
  kNone
};

/// How requests are authorised.
enum class Authorisation { kSharedKey, kSas, kToken, kAnonymous };

/// All that an az:// store was opened with. Immutable afterwards; `token` renews itself.
struct Settings : object::TransferSettings {
  std::string account;
  std::string container;
  std::vector<storage::Endpoint> endpoints;  ///< with the account as path where it isn't in front of the host
  std::string endpoint_source;               ///< the variable that named them, or "default"

  Authorisation authorisation = Authorisation::kAnonymous;
  std::string authorisation_source;    ///< the variable or service that it comes from
  std::string key;                     ///< decoded; a secret
  std::string sas;                     ///< without '?'; a secret
  std::shared_ptr<TokenSource> token;  ///< for Authorisation::kToken
  Checksum checksum = Checksum::kCrc64;
};

/// Reads the addresses of an account's Blob service from one setting, separated by commas or blanks:
/// "https://account.blob.suffix", "http://host:port/account", or "http://host:port", to which the account is appended
/// as the path, unless the setting is `complete`, so that the account can only lack because the host stands for it.
/// E102 names `variable`.
Result<std::vector<storage::Endpoint>> parse_service_endpoints(std::string_view text, std::string_view account,
                                                               std::string_view variable, bool complete);

/// Checks a SAS token at `now` (seconds since the epoch): E102 for what is none or has ended. Returns it without '?'.
Result<std::string> checked_sas(std::string_view text, std::string_view variable, int64_t now);

/// Returns the settings for an az:// root from the variables; docs/object-storage.md has their table. Errors (E101 to
/// E105) name the variable. Sends no request.
Result<Settings> resolve_settings(const Location& root, const Environment& environment);

/// Returns the settings as Store::describe() does: never a secret.
storage::SettingList describe(const Settings& settings);

}  // namespace mlps::azure
