#include "storage/setting_variables.hpp"

#include <fmt/format.h>

namespace mlps::storage {
namespace {

struct UnreadVariable {
  std::string_view name;
  std::string_view instead;
};

constexpr UnreadVariable kUnreadVariables[] = {
    {"AWS_CONFIG_FILE", "set AWS_REGION, AWS_ENDPOINT_URL and AWS_MAX_ATTEMPTS"},
    {"AWS_REQUEST_CHECKSUM_CALCULATION", "set MLPSTORAGE_S3_CHECKSUM to crc32c or none"},
    {"AWS_RETRY_MODE", "set AWS_MAX_ATTEMPTS"},
    {"S3DLIO_MULTIPART_MAX_IN_FLIGHT", "give --io-depth"},
    {"S3DLIO_MULTIPART_PART_SIZE_MB", "give --io-part-size"},
    {"STORAGE_LIBRARY", "leave it out: this program has one client of its own"},
};

}  // namespace

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
