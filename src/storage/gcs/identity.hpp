#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/http/service_call.hpp"
#include "storage/object/credentials.hpp"

/// Who this program is to Google Cloud Storage, and how that becomes a bearer token.
namespace mlps::gcs {

/// A service account's key, as its JSON file has it: a signed statement (RFC 7523) buys a token.
struct ServiceAccount {
  std::string email;
  std::string key_id;
  std::string private_key;  ///< PEM; secret
  std::string token_url;
};

/// A person's or workload's refresh token, as `gcloud auth application-default login` stores it.
struct AuthorizedUser {
  std::string client_id;
  std::string client_secret;  ///< secret
  std::string refresh_token;  ///< secret
  std::string token_url;
};

/// The metadata server of a Google machine, which knows the service account that the machine acts for.
struct MetadataServer {
  std::string host;  ///< "host" or "host:port"
};

/// No token at all: public buckets and emulators.
struct Nobody {};

using Identity = std::variant<Nobody, ServiceAccount, AuthorizedUser, MetadataServer>;

/// An identity, and where it was found.
struct FoundIdentity {
  Identity identity;
  std::string source;         ///< "service account x@y of /path (GOOGLE_APPLICATION_CREDENTIALS)"
  std::string quota_project;  ///< as the file names it, or empty
};

/// Reads the JSON of a credentials file. E104 names the file and what is missing or malformed, E105 a kind of
/// credentials that this program doesn't know, with what to use instead. No part of the content gets into an error.
Result<FoundIdentity> parse_credentials(std::string_view json, const std::string& path);

/// Finds the identity of this process: the file GOOGLE_APPLICATION_CREDENTIALS, else the file of gcloud
/// (application_default_credentials.json in CLOUDSDK_CONFIG or ~/.config/gcloud), else the metadata server
/// (GCE_METADATA_HOST, or metadata.google.internal). Asks nobody yet.
Result<FoundIdentity> find_identity(const Environment& environment);

/// Returns the statement that a service account signs to get a token: a JSON Web Token, RS256, valid for an hour from
/// `now` (seconds since the epoch). E104 if the key can't sign.
Result<std::string> signed_assertion(const ServiceAccount& account, int64_t now);

/// Returns the request that asks for a token of `identity`, which must not be Nobody.
Result<http::ServiceRequest> token_request(const Identity& identity, int64_t now, const http::Way& way);

/// Asks for a token. E602 with the service's own words when it refuses, E601 when it can't be reached; both name the
/// service and say what to do.
Result<object::Lease<std::string>> ask_token(const FoundIdentity& who, const http::Way& way,
                                             const std::atomic<bool>& stop);

}  // namespace mlps::gcs
