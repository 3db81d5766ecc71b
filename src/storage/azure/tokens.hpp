#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/object/credentials.hpp"

namespace mlps::azure {

/// A bearer token of Microsoft Entra ID for the Blob service, renewed before it ends.
using TokenSource = object::Renewed<std::string>;

/// Reads the answer of a token service: {"access_token": ..., "expires_in" or "expires_on": ...}, numbers also as text.
/// `now` is in seconds since the epoch. E605 says what is missing, and never shows the token.
Result<object::Lease<std::string>> parse_token_answer(std::string_view body, int64_t now);

/// Returns the source of a workload identity: AZURE_FEDERATED_TOKEN_FILE, read at every renewal, is exchanged at
/// AZURE_AUTHORITY_HOST for a token of AZURE_CLIENT_ID in AZURE_TENANT_ID. E101 names what is missing.
Result<std::shared_ptr<TokenSource>> workload_identity(const Environment& environment);

/// Returns the source of a service principal: AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET.
Result<std::shared_ptr<TokenSource>> client_secret(const Environment& environment);

/// Returns the source of a managed identity: the service at IDENTITY_ENDPOINT (with IDENTITY_HEADER) where an app
/// service sets it, else the metadata service of a virtual machine; of AZURE_CLIENT_ID, or the machine's own identity.
Result<std::shared_ptr<TokenSource>> managed_identity(const Environment& environment);

}  // namespace mlps::azure
