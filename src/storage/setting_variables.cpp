#include "storage/setting_variables.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlps::storage {
namespace {

struct UnreadVariable {
  std::string_view name;
  std::string_view instead;
};

constexpr UnreadVariable kUnreadVariables[] = {
    {"ALL_PROXY", "give --proxy"},
    {"AWS_RETRY_MODE", "set AWS_MAX_ATTEMPTS"},
    {"AZURE_MAX_INFLIGHT", "give --io-depth"},
    {"AZURE_STORAGE_AUTH_MODE",
     "set MLPSTORAGE_AZURE_AUTH to key, sas, token, workload, client-secret, managed or anonymous"},
    {"AZURE_STORAGE_SERVICE_ENDPOINT", "set AZURE_STORAGE_ENDPOINT"},
    {"DLIO_DROP_CACHES_TIMEOUT", "leave it out: the page cache is dropped without a limit of time"},
    {"DLIO_STORAGE_LIBRARY", "leave it out: this program has one client of its own"},
    {"MLPS_CHECKPOINT_MP_START_METHOD", "leave it out: ranks are threads, nothing is forked"},
    {"S3DLIO_CHUNK_SIZE", "give --io-part-size"},
    {"S3DLIO_CONCURRENT_THRESHOLD", "give --io-part-size"},
    {"S3DLIO_CONNECT_TIMEOUT_SECS", "leave it out: a connection must stand within 20 s"},
    {"S3DLIO_DISABLE_MULTIPART", "give an --io-part-size of the largest object, up to 5 GiB"},
    {"S3DLIO_ENABLE_HTTP2", "leave it out: requests are HTTP/1.1"},
    {"S3DLIO_ENABLE_RANGE_OPTIMIZATION", "give --io-part-size"},
    {"S3DLIO_FOLLOW_REDIRECTS", "leave it out: a redirect to another server is followed once, with a warning"},
    {"S3DLIO_H2C", "leave it out: requests are HTTP/1.1"},
    {"S3DLIO_HTTPS_H2", "leave it out: requests are HTTP/1.1"},
    {"S3DLIO_MAX_RETRY_ATTEMPTS", "set AWS_MAX_ATTEMPTS"},
    {"S3DLIO_MPU_MAX_RETRIES", "set AWS_MAX_ATTEMPTS"},
    {"S3DLIO_MULTIPART_MAX_IN_FLIGHT", "give --io-depth"},
    {"S3DLIO_MULTIPART_PART_SIZE_MB", "give --io-part-size"},
    {"S3DLIO_MULTIPART_THRESHOLD_MB", "give --io-part-size: an object that fits one part is one PUT"},
    {"S3DLIO_OPERATION_TIMEOUT_SECS", "leave it out: 30 s without a byte end an attempt"},
    {"S3DLIO_POOL_MAX_IDLE_PER_HOST", "leave it out: connections are kept, one per request in flight"},
    {"S3DLIO_PUT_MAX_RETRIES", "set AWS_MAX_ATTEMPTS"},
    {"S3DLIO_RANGE_CONCURRENCY", "give --io-depth"},
    {"S3DLIO_RANGE_THRESHOLD_MB", "give --io-part-size"},
    {"S3DLIO_RT_THREADS", "give --io-workers"},
    {"S3DLIO_UNSIGNED_PAYLOAD", "set MLPSTORAGE_S3_PAYLOAD_SIGNING to signed or unsigned"},
    {"STORAGE_LIBRARY", "leave it out: this program has one client of its own"},
    {"HTTPS_PROXY", "give --proxy"},
    {"HTTP_PROXY", "give --proxy"},
    {"all_proxy", "give --proxy"},
    {"http_proxy", "give --proxy"},
    {"https_proxy", "give --proxy"},
};

}  // namespace

std::vector<std::string_view> variables_together(std::string_view name) {
  static const std::vector<std::vector<std::string_view>> kGroups = {
      {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"},
      {"S3_ENDPOINT_URIS", "S3_ENDPOINT_TEMPLATE", "S3_ENDPOINT_FILE", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL",
       "S3_ENDPOINT"},
      {"GCS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST"},
      {"AWS_REGION", "AWS_DEFAULT_REGION"},
      {"MLPSTORAGE_S3_SSE", "MLPSTORAGE_S3_SSE_KMS_KEY_ID", "MLPSTORAGE_S3_SSE_C_KEY_FILE"},
      {"AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN",
       "AZURE_STORAGE_TOKEN"},
      {"AZURE_STORAGE_ENDPOINT", "AZURE_BLOB_ENDPOINT_URL"},
      {"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"},
      {"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"},
      {"MLPSTORAGE_PROXY", "MLPSTORAGE_PROXY_USER"},
      {"MLPSTORAGE_TLS_CERTIFICATE", "MLPSTORAGE_TLS_KEY"},
  };
  for (const std::vector<std::string_view>& group : kGroups) {
    if (std::find(group.begin(), group.end(), name) != group.end()) return group;
  }
  return {};
}

std::vector<std::string_view> unread_variables() {
  std::vector<std::string_view> names;
  for (const UnreadVariable& variable : kUnreadVariables) names.push_back(variable.name);
  return names;
}

std::vector<std::string> unread_variable_warnings(const Environment& environment) {
  std::vector<std::string> warnings;
  for (const UnreadVariable& variable : kUnreadVariables) {
    if (environment.get(variable.name)) {
      warnings.push_back(fmt::format("{} is not read by this program; {}", variable.name, variable.instead));
    }
  }
  return warnings;
}

}  // namespace mlps::storage
