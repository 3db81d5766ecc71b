#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/environment.hpp"
#include "base/error.hpp"

namespace mlps {

/// The account that storage emulators have, and its key, both published by Microsoft.
inline constexpr std::string_view kAzureEmulatorAccount = "devstoreaccount1";
inline constexpr std::string_view kAzureEmulatorKey =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// What a connection string of Azure Storage says about the Blob service.
struct AzureConnectionString {
  std::string account;
  std::string key;  ///< base64 as given, or empty; a secret
  std::string sas;  ///< without '?', or empty; a secret
  std::string
      endpoint;  ///< complete: "https://account.blob.core.windows.net", "http://127.0.0.1:10000/devstoreaccount1"
};

/// Reads "Name=Value;Name=Value;...", names in any case: AccountName, AccountKey, SharedAccessSignature, BlobEndpoint,
/// DefaultEndpointsProtocol, EndpointSuffix, or UseDevelopmentStorage=true; endpoints of other services are passed
/// over. E102 names what is wrong and never a value.
Result<AzureConnectionString> parse_azure_connection_string(std::string_view text);

/// Returns the storage account that the variables name: AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_ACCOUNT_NAME, else the
/// one of AZURE_STORAGE_CONNECTION_STRING; nothing if none does. E105 if two of them differ.
Result<std::optional<std::string>> azure_account(const Environment& environment);

}  // namespace mlps
