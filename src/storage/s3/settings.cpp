#include "storage/s3/settings.hpp"

#include <fmt/format.h>

#include <sstream>

#include "base/encoding.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "storage/s3/credentials.hpp"

namespace mlps::s3 {
namespace {

/// Texts of endpoints, and the variable that named them.
struct EndpointTexts {
  std::vector<std::string> texts;
  std::string variable;
};

Result<std::vector<std::string>> read_endpoint_file(const std::string& path) {
  const Result<std::string> content = read_file(path, "S3_ENDPOINT_FILE");
  if (!content) return fail(content.error());
  std::istringstream file(*content);
  std::vector<std::string> out;
  std::string line;
  while (std::getline(file, line) && out.size() <= kMaxEndpoints) {
    const std::string_view text = trimmed(line);
    if (!text.empty() && text.front() != '#') out.emplace_back(text);
  }
  return out;
}

Result<EndpointTexts> s3_endpoint_texts(const Environment& environment) {
  if (const auto list = environment.get("S3_ENDPOINT_URIS")) {
    return EndpointTexts{split(*list, ", \t\r\n"), "S3_ENDPOINT_URIS"};
  }
  if (const auto pattern = environment.get("S3_ENDPOINT_TEMPLATE")) {
    return expand_template(trimmed(*pattern), "S3_ENDPOINT_TEMPLATE").map([](auto texts) {
      return EndpointTexts{std::move(texts), "S3_ENDPOINT_TEMPLATE"};
    });
  }
  if (const auto path = environment.get("S3_ENDPOINT_FILE")) {
    return read_endpoint_file(*path).map([](auto texts) {
      return EndpointTexts{std::move(texts), "S3_ENDPOINT_FILE"};
    });
  }
  for (const char* variable : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT"}) {
    if (const auto text = environment.get(variable)) {
      return EndpointTexts{{std::string(trimmed(*text))}, variable};
    }
  }
  return EndpointTexts{{}, "default"};
}

Result<EndpointTexts> gs_endpoint_texts(const Environment& environment) {
  if (const auto text = environment.get("GCS_ENDPOINT_URL")) {
    return EndpointTexts{{std::string(trimmed(*text))}, "GCS_ENDPOINT_URL"};
  }
  if (const auto text = environment.get("STORAGE_EMULATOR_HOST")) {  // by custom a bare host:port
    const bool bare = text->find("://") == std::string::npos;
    return EndpointTexts{{(bare ? "http://" : "") + std::string(trimmed(*text))}, "STORAGE_EMULATOR_HOST"};
  }
  return EndpointTexts{{}, "default"};
}

/// Returns the variable's value, which must be one of `words` (else E102 with the legal ones), or `otherwise`.
Result<std::string> choice(const Environment& environment, std::string_view variable, std::string_view otherwise,
                           std::initializer_list<std::string_view> words) {
  const std::string value = environment.get(variable).value_or(std::string(otherwise));
  for (const std::string_view word : words) {
    if (value == word) return value;
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is not known", variable, printable(value)), {},
              fmt::format("Use one of: {}.", join(words, ", ")));
}

Status resolve_endpoints(Settings& settings, const Location& root, const Environment& environment) {
  const bool gs = root.scheme() == Scheme::kGs;
  auto texts = gs ? gs_endpoint_texts(environment) : s3_endpoint_texts(environment);
  if (!texts) return fail(std::move(texts.error()));
  if (texts->variable == "default") {
    texts->texts = {gs ? std::string("https://storage.googleapis.com")
                       : fmt::format("https://s3.{}.amazonaws.com", settings.region)};
  }
  auto endpoints = parse_endpoints(texts->texts, texts->variable);
  if (!endpoints) return fail(std::move(endpoints.error()));
  settings.endpoints = std::move(*endpoints);
  settings.endpoint_source = texts->variable;
  return {};
}

Status resolve_addressing(Settings& settings, const Location& root, const Environment& environment) {
  auto style = choice(environment, "AWS_S3_ADDRESSING_STYLE", "auto", {"path", "virtual", "auto"});
  if (!style) return fail(std::move(style.error()));
  const bool dotted = root.bucket().find('.') != std::string::npos;
  if (*style == "auto") {
    settings.virtual_host = settings.endpoint_source == "default" && root.scheme() == Scheme::kS3 && !dotted;
    return {};
  }
  settings.virtual_host = *style == "virtual";
  if (!settings.virtual_host) return {};
  for (const Endpoint& endpoint : settings.endpoints) {
    if (endpoint.host_is_address() || (endpoint.tls && dotted)) {
      return fail(ErrorCode::kConfigIncompatible,
                  fmt::format("AWS_S3_ADDRESSING_STYLE=virtual can't be used for bucket {} at {}", root.bucket(),
                              endpoint.url()),
                  endpoint.host_is_address() ? "no name can be put in front of an address"
                                             : "a wildcard certificate doesn't cover a bucket name with dots",
                  "Use AWS_S3_ADDRESSING_STYLE=path.");
    }
  }
  return {};
}

Status resolve_transfer(Settings& settings, const Location& root, const Environment& environment) {
  auto signing = choice(environment, "MLPSTORAGE_S3_PAYLOAD_SIGNING", "unsigned", {"unsigned", "signed"});
  if (!signing) return fail(std::move(signing.error()));
  settings.sign_payload = *signing == "signed";
  // The interoperable XML API of gs:// doesn't document x-amz-checksum-*.
  const std::string_view usual = root.scheme() == Scheme::kGs ? "none" : "crc32c";
  auto checksum = choice(environment, "MLPSTORAGE_S3_CHECKSUM", usual, {"crc32c", "none"});
  if (!checksum) return fail(std::move(checksum.error()));
  settings.checksum = *checksum == "crc32c";
  if (const auto text = environment.get("AWS_MAX_ATTEMPTS")) {
    const auto value = parse_number<uint64_t>(trimmed(*text));
    if (!value || *value < 1 || *value > 100) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("AWS_MAX_ATTEMPTS=\"{}\" is not a number from 1 to 100", printable(*text)));
    }
    settings.retry.max_attempts = static_cast<unsigned>(*value);
  }
  if (const auto path = environment.get("AWS_CA_BUNDLE")) {
    if (const auto bundle = read_file(*path, "AWS_CA_BUNDLE"); !bundle) {
      return fail(bundle.error());
    }
    settings.engine.ca_file = *path;
  }
  return {};
}

Status check_region(const std::string& region) {
  if (region.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
      std::string::npos) {
    return {};
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("AWS_REGION=\"{}\" is no region name", printable(region)));
}

}  // namespace

Result<Settings> resolve_settings(const Location& root, const Environment& environment) {
  Settings settings;
  const auto region = environment.get("AWS_REGION");
  settings.region =
      region ? *region
             : environment.get("AWS_DEFAULT_REGION").value_or(root.scheme() == Scheme::kGs ? "auto" : "us-east-1");
  if (auto status = check_region(settings.region); !status) return fail(std::move(status.error()));
  auto credentials = find_credentials(environment);
  if (!credentials) return fail(std::move(credentials.error()));
  settings.credentials = std::move(*credentials);
  for (const auto step : {resolve_endpoints, resolve_addressing, resolve_transfer}) {
    if (auto status = step(settings, root, environment); !status) return fail(std::move(status.error()));
  }
  return settings;
}

storage::SettingList describe(const Settings& settings) {
  std::vector<std::string> urls;
  for (const Endpoint& endpoint : settings.endpoints) urls.push_back(endpoint.url());
  const bool tls = settings.endpoints.front().tls;
  const std::string ca = settings.engine.ca_file.empty() ? "system CA store" : "CA file " + settings.engine.ca_file;
  return {
      {"endpoint", join(urls, ", ")},
      {"endpoint source", settings.endpoint_source},
      {"region", settings.region},
      {"credentials", settings.credentials.source},
      {"addressing", settings.virtual_host ? "virtual" : "path"},
      {"payload signing", settings.sign_payload ? "signed (SHA-256)" : "unsigned"},
      {"checksum", settings.checksum ? "crc32c" : "none"},
      {"max attempts", std::to_string(settings.retry.max_attempts)},
      {"tls", tls ? "verified, " + ca : "off (http)"},
      {"http library", http::library_version()},
  };
}

}  // namespace mlps::s3
