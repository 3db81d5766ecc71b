#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.hpp"

namespace mlps::storage {

/// The environment variables that say where and how storage is reached, credentials apart. They belong to the settings
/// of a run: in a job of several hosts all processes take process 0's.
inline constexpr auto kSettingVariables = std::to_array<std::string_view>({
    "AWS_CA_BUNDLE",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_MAX_ATTEMPTS",
    "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_S3_ADDRESSING_STYLE",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AZURE_BLOB_ENDPOINT_URL",
    "AZURE_STORAGE_ACCOUNT",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ENDPOINT",
    "BUCKET",
    "GCS_ENDPOINT_URL",
    "GOOGLE_CLOUD_QUOTA_PROJECT",
    "MLPSTORAGE_AZURE_AUTH",
    "MLPSTORAGE_AZURE_CHECKSUM",
    "MLPSTORAGE_CHECKPOINT_URI_SCHEME",
    "MLPSTORAGE_GCS_API",
    "MLPSTORAGE_GCS_CREDENTIALS",
    "MLPSTORAGE_PROXY",
    "MLPSTORAGE_S3_CHECKSUM",
    "MLPSTORAGE_S3_PAYLOAD_SIGNING",
    "MLPSTORAGE_S3_REQUEST_PAYER",
    "MLPSTORAGE_S3_SSE",
    "MLPSTORAGE_S3_SSE_KMS_KEY_ID",
    "MLPSTORAGE_S3_STORAGE_CLASS",
    "S3_ENDPOINT",
    "S3_ENDPOINT_FILE",
    "S3_ENDPOINT_TEMPLATE",
    "S3_ENDPOINT_URIS",
    "S3_LOAD_BALANCE_STRATEGY",
    "STORAGE_EMULATOR_HOST",
    "STORAGE_URI_SCHEME",
});

/// The variables with credentials, and those that name files of them or services that hand them out: every process
/// reads its own.
inline constexpr auto kCredentialVariables = std::to_array<std::string_view>({
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_NO_SIGN_REQUEST",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_TOKEN",
    "AZURE_TENANT_ID",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "CLOUDSDK_CONFIG",
    "GCE_METADATA_HOST",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "MLPSTORAGE_PROXY_USER",
    "MLPSTORAGE_S3_HEADERS",
    "MLPSTORAGE_S3_SSE_C_KEY_FILE",
    "MLPSTORAGE_TLS_CERTIFICATE",
    "MLPSTORAGE_TLS_KEY",
});

/// Returns the variables that say the same as `name`, itself among them, and must therefore come from one place: keys
/// and their token, or the endpoints. Empty for all others.
std::vector<std::string_view> variables_together(std::string_view name);

/// Returns the variables that unread_variable_warnings() knows.
std::vector<std::string_view> unread_variables();

/// Returns one warning for each variable of `environment` that other clients of object stores read and this program
/// does not; each names what to use instead.
std::vector<std::string> unread_variable_warnings(const Environment& environment);

}  // namespace mlps::storage
