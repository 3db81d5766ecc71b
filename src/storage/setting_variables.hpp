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
    "AWS_MAX_ATTEMPTS",
    "AWS_REGION",
    "AWS_S3_ADDRESSING_STYLE",
    "BUCKET",
    "GCS_ENDPOINT_URL",
    "MLPSTORAGE_CHECKPOINT_URI_SCHEME",
    "MLPSTORAGE_S3_CHECKSUM",
    "MLPSTORAGE_S3_PAYLOAD_SIGNING",
    "S3_ENDPOINT",
    "S3_ENDPOINT_FILE",
    "S3_ENDPOINT_TEMPLATE",
    "S3_ENDPOINT_URIS",
    "S3_LOAD_BALANCE_STRATEGY",
    "STORAGE_EMULATOR_HOST",
    "STORAGE_URI_SCHEME",
});

/// The variables with credentials: every process reads its own.
inline constexpr auto kCredentialVariables = std::to_array<std::string_view>(
    {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"});

/// Returns the variables that unread_variable_warnings() knows.
std::vector<std::string_view> unread_variables();

/// Returns one warning for each variable of `environment` that other clients of object stores read and this program
/// does not; each names what to use instead.
std::vector<std::string> unread_variable_warnings(const Environment& environment);

}  // namespace mlps::storage
