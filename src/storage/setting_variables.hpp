#pragma once

#include <array>
#include <string_view>

namespace mlps::storage {

/// The environment variables that say where and how storage is reached. They belong to the settings of a run: in a job
/// of several hosts all take process 0's.
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

/// Those that hold credentials or say where they are. Every host takes its own, and none is ever sent anywhere.
inline constexpr auto kCredentialVariables = std::to_array<std::string_view>({
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
});

}  // namespace mlps::storage
