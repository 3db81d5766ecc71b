#include "storage/gcs/settings.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "storage/endpoint_text.hpp"
#include "storage/s3/endpoint_sources.hpp"

namespace mlps::gcs {
namespace {

/// Returns whether requests are to carry no token.
Result<bool> wants_nobody(const Settings& settings, const Environment& environment) {
  const std::string wish = environment.get("MLPSTORAGE_GCS_CREDENTIALS").value_or("auto");
  if (wish == "none") return true;
  if (wish != "auto") {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("MLPSTORAGE_GCS_CREDENTIALS=\"{}\" is not known", printable(wish)), {},
                "Use one of: auto, none.");
  }
  return settings.endpoint_source == "STORAGE_EMULATOR_HOST" && !environment.get("GOOGLE_APPLICATION_CREDENTIALS");
}

Status resolve_identity(Settings& settings, const Environment& environment) {
  const auto nobody = wants_nobody(settings, environment);
  if (!nobody) return fail(nobody.error());
  if (*nobody) {
    settings.identity = {Nobody{}, "none", ""};
  } else {
    auto found = find_identity(environment);
    if (!found) return fail(std::move(found.error()));
    settings.identity = std::move(*found);
    settings.token = std::make_shared<object::Renewed<std::string>>(
        settings.identity.source, [who = settings.identity, way = http::Way(settings.engine)](
                                      const std::atomic<bool>& stop) { return ask_token(who, way, stop); });
  }
  settings.quota_project = environment.get("GOOGLE_CLOUD_QUOTA_PROJECT").value_or(settings.identity.quota_project);
  if (settings.quota_project.find_first_of(" \t\r\n") != std::string::npos) {
    return fail(ErrorCode::kConfigInvalid, "GOOGLE_CLOUD_QUOTA_PROJECT is no name of a project");
  }
  return {};
}

}  // namespace

Result<ApiChoice> choose_api(const Environment& environment) {
  if (const auto wish = environment.get("MLPSTORAGE_GCS_API")) {
    if (*wish == "json") return ApiChoice{Api::kJson, "MLPSTORAGE_GCS_API"};
    if (*wish == "xml") return ApiChoice{Api::kXml, "MLPSTORAGE_GCS_API"};
    if (*wish != "auto") {
      return fail(ErrorCode::kConfigInvalid, fmt::format("MLPSTORAGE_GCS_API=\"{}\" is not known", printable(*wish)),
                  {}, "Use one of: auto, json, xml.");
    }
  }
  for (const char* variable :
       {"STORAGE_EMULATOR_HOST", "MLPSTORAGE_GCS_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"}) {
    if (environment.get(variable)) return ApiChoice{Api::kJson, variable};
  }
  for (const char* variable :
       {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"}) {
    if (environment.get(variable)) return ApiChoice{Api::kXml, fmt::format("HMAC keys of {}", variable)};
  }
  return ApiChoice{Api::kJson, "no HMAC keys are set"};
}

Result<Settings> resolve_settings(const Location& root, const Environment& environment) {
  Settings settings;
  auto api = choose_api(environment);
  if (!api) return fail(std::move(api.error()));
  settings.api = std::move(*api);
  auto endpoints = s3::choose_endpoints(root, environment, {}, "auto");
  if (!endpoints) return fail(std::move(endpoints.error()));
  settings.endpoints = std::move(endpoints->endpoints);
  settings.endpoint_source = std::move(endpoints->source);
  if (Status read = object::read_transfer_variables(environment, settings); !read) return fail(std::move(read.error()));
  if (Status found = resolve_identity(settings, environment); !found) return fail(std::move(found.error()));
  return settings;
}

storage::SettingList describe(const Settings& settings) {
  const http::EngineSettings& engine = settings.engine;
  std::string trust = engine.ca_file.empty() ? "system CA store" : "CA file " + engine.ca_file;
  if (!engine.certificate_file.empty()) trust += ", client certificate " + engine.certificate_file;
  return {
      {"endpoint", storage::shown_endpoints(settings.endpoints)},
      {"endpoint source", settings.endpoint_source},
      {"interface", fmt::format("JSON ({})", settings.api.reason)},
      {"identity", settings.identity.source},
      {"quota project", settings.quota_project.empty() ? "none" : settings.quota_project},
      {"checksum", "crc32c"},
      {"max attempts", std::to_string(settings.retry.max_attempts)},
      {"tls", settings.endpoints.front().tls ? "verified, " + trust : "off (http)"},
      {"proxy", engine.proxy.empty() ? "none" : engine.proxy},
      {"http library", http::library_version()},
  };
}

}  // namespace mlps::gcs
