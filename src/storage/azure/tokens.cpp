#include "storage/azure/tokens.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "storage/http/service_call.hpp"

namespace mlps::azure {
namespace {

constexpr std::string_view kPublicAuthority = "https://login.microsoftonline.com";
constexpr std::string_view kMetadataService = "http://169.254.169.254";
// The resource that tokens are for, percent-encoded: https://storage.azure.com/
constexpr std::string_view kResource = "https%3A%2F%2Fstorage.azure.com%2F";
constexpr uint64_t kMostTokenFileBytes = uint64_t{1} << 20;

std::string encoded(std::string_view text) {
  std::string out;
  append_encoded_query(out, text);
  return out;
}

// Returns a whole number that stands in a field as a number or as text.
std::optional<int64_t> number_in(const nlohmann::json& answer, const char* name) {
  const auto field = answer.find(name);
  if (field == answer.end()) return std::nullopt;
  if (field->is_number_integer()) return field->get<int64_t>();
  if (field->is_string()) return parse_number<int64_t>(field->get_ref<const std::string&>());
  return std::nullopt;
}

std::string text_in(const nlohmann::json& answer, const char* name) {
  const auto field = answer.find(name);
  return field != answer.end() && field->is_string() ? field->get<std::string>() : std::string();
}

// Returns what a token service says about a refusal: {"error": ..., "error_description": ...}.
std::string words_of(std::string_view body) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object()) return printable(body, 120);
  return printable(fmt::format("{} {}", text_in(answer, "error"), text_in(answer, "error_description")), 300);
}

// Sends the request and reads the token. `advice` is for a refusal.
Result<object::Lease<std::string>> ask(const http::ServiceRequest& request, const std::string& source,
                                       const std::string& advice, const std::atomic<bool>& stop) {
  const auto answer = http::call_service(request, stop);
  if (!answer) {
    return fail(answer.error().code, fmt::format("no token from {}: {}", source, answer.error().message),
                answer.error().details, advice);
  }
  if (answer->status != 200) {
    return fail(ErrorCode::kStorageDenied,
                fmt::format("no token from {}: HTTP {} {}", source, answer->status, words_of(answer->body)), {},
                advice);
  }
  auto lease = parse_token_answer(answer->body, time(nullptr));
  if (!lease) return fail(lease.error().code, fmt::format("no token from {}: {}", source, lease.error().message));
  return lease;
}

Result<std::string> needed(const Environment& environment, const char* variable, std::string_view what) {
  auto value = environment.get(variable);
  if (value) return std::string(trimmed(*value));
  return fail(ErrorCode::kConfigMissing, fmt::format("{} is not set, but {} needs it", variable, what), {},
              "set AZURE_TENANT_ID and AZURE_CLIENT_ID, and AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET; "
              "MLPSTORAGE_AZURE_AUTH chooses another kind of authorisation");
}

/// An application at an authority, which hands out tokens against a proof.
struct Application {
  std::string url;
  std::string host;
  std::string form;  ///< of the request, without the proof
  http::Way way;
};

Result<Application> application(const Environment& environment, std::string_view what) {
  const auto tenant = needed(environment, "AZURE_TENANT_ID", what);
  if (!tenant) return fail(tenant.error());
  const auto client = needed(environment, "AZURE_CLIENT_ID", what);
  if (!client) return fail(client.error());
  std::string authority = environment.get("AZURE_AUTHORITY_HOST").value_or(std::string(kPublicAuthority));
  while (authority.ends_with('/')) authority.pop_back();
  if (authority.find("://") == std::string::npos) authority.insert(0, "https://");
  if (!authority.starts_with("https://")) {
    return fail(ErrorCode::kConfigInvalid, "AZURE_AUTHORITY_HOST is no https address, so secrets would travel in clear",
                {}, fmt::format("write it as {}", kPublicAuthority));
  }
  Application out;
  out.host = authority;
  out.url = fmt::format("{}/{}/oauth2/v2.0/token", authority, encoded(*tenant));
  out.form = fmt::format("grant_type=client_credentials&client_id={}&scope={}.default", encoded(*client), kResource);
  out.way.ca_file = expanded_path(environment.get("AWS_CA_BUNDLE").value_or(""), environment);
  if (Status read = object::read_proxy(environment, out.way); !read) return fail(std::move(read.error()));
  return out;
}

http::ServiceRequest token_request(const Application& application, const std::string& proof) {
  http::ServiceRequest request;
  request.method = "POST";
  request.url = application.url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = application.form + proof;
  request.way = application.way;
  return request;
}

}  // namespace

Result<object::Lease<std::string>> parse_token_answer(std::string_view body, int64_t now) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object()) return fail(ErrorCode::kStorageProtocol, "the answer is no JSON object");
  object::Lease<std::string> lease;
  lease.value = text_in(answer, "access_token");
  const bool usable = !lease.value.empty() &&
                      std::all_of(lease.value.begin(), lease.value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!usable) return fail(ErrorCode::kStorageProtocol, "the answer holds no usable access_token");
  constexpr int64_t kMost = int64_t{10} * 365 * 86400;
  if (const auto seconds = number_in(answer, "expires_in"); seconds && *seconds > 0) {
    lease.ends = now + std::min(*seconds, kMost);
  } else if (const auto end = number_in(answer, "expires_on"); end && *end > 0) {
    lease.ends = std::min(*end, now + kMost);
  } else {
    return fail(ErrorCode::kStorageProtocol, "the answer doesn't say when the token ends (expires_in, expires_on)");
  }
  return lease;
}

Result<std::shared_ptr<TokenSource>> workload_identity(const Environment& environment) {
  const auto path = needed(environment, "AZURE_FEDERATED_TOKEN_FILE", "a workload identity");
  if (!path) return fail(path.error());
  auto app = application(environment, "a workload identity");
  if (!app) return fail(std::move(app.error()));
  // Found out before any request whether it can be read; its content changes while a run lasts.
  if (const auto proof = read_file(*path, "AZURE_FEDERATED_TOKEN_FILE", kMostTokenFileBytes); !proof) {
    return fail(proof.error());
  }
  std::string source = fmt::format("workload identity at {}", app->host);
  auto ask_for = [source, path = *path,
                  app = std::move(*app)](const std::atomic<bool>& stop) -> Result<object::Lease<std::string>> {
    const auto proof = read_file(path, "AZURE_FEDERATED_TOKEN_FILE", kMostTokenFileBytes);
    if (!proof) return fail(proof.error());
    const std::string assertion =
        "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=" +
        encoded(trimmed(*proof));
    return ask(token_request(app, assertion), source,
               "check AZURE_TENANT_ID, AZURE_CLIENT_ID and the federated credential of that application", stop);
  };
  return std::make_shared<TokenSource>(source, std::move(ask_for));
}

Result<std::shared_ptr<TokenSource>> client_secret(const Environment& environment) {
  const auto secret = needed(environment, "AZURE_CLIENT_SECRET", "a service principal");
  if (!secret) return fail(secret.error());
  auto app = application(environment, "a service principal");
  if (!app) return fail(std::move(app.error()));
  std::string source = fmt::format("service principal at {}", app->host);
  auto ask_for = [source, proof = "&client_secret=" + encoded(*secret),
                  app = std::move(*app)](const std::atomic<bool>& stop) {
    return ask(token_request(app, proof), source, "check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
               stop);
  };
  return std::make_shared<TokenSource>(source, std::move(ask_for));
}

Result<std::shared_ptr<TokenSource>> managed_identity(const Environment& environment) {
  http::ServiceRequest request;
  const auto service = environment.get("IDENTITY_ENDPOINT");
  const auto header = environment.get("IDENTITY_HEADER");
  std::string source;
  if (service && header) {
    if (header->find_first_of("\r\n") != std::string::npos) {
      return fail(ErrorCode::kConfigInvalid, "IDENTITY_HEADER holds a line end", {}, "set it as the app service does");
    }
    request.url = fmt::format("{}?api-version=2019-08-01&resource={}", *service, kResource);
    request.headers = {{"X-IDENTITY-HEADER", *header}};
    source = fmt::format("managed identity of {}", *service);
  } else {
    std::string base = environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST").value_or(std::string(kMetadataService));
    while (base.ends_with('/')) base.pop_back();
    request.url = fmt::format("{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}", base, kResource);
    request.headers = {{"Metadata", "true"}};
    source = fmt::format("managed identity of {}", base);
  }
  if (const auto client = environment.get("AZURE_CLIENT_ID")) request.url += "&client_id=" + encoded(trimmed(*client));
  request.total_milliseconds = 5'000;
  auto ask_for = [source, request](const std::atomic<bool>& stop) {
    return ask(request, source,
               "set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, or run on a machine "
               "with a managed identity (several: AZURE_CLIENT_ID chooses)",
               stop);
  };
  return std::make_shared<TokenSource>(source, std::move(ask_for));
}

}  // namespace mlps::azure
