#include "storage/s3/sso.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "storage/http/service_call.hpp"
#include "storage/s3/credentials.hpp"
#include "storage/s3/endpoint_sources.hpp"

namespace mlps::s3 {
namespace {

std::string text_in(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The AWS CLI calls the file of a login by the SHA-1 of the session's name, or of the portal's address.
std::string file_of_login(const std::string& name, const Environment& environment) {
  std::array<std::byte, 20> digest = {};
  unsigned length = 0;
  EVP_Digest(name.data(), name.size(), reinterpret_cast<unsigned char*>(digest.data()), &length, EVP_sha1(), nullptr);
  return expanded_path(fmt::format("~/.aws/sso/cache/{}.json", hex(digest)), environment);
}

Error not_logged_in(ErrorCode code, std::string what, const std::string& login) {
  return {code, std::move(what), {}, fmt::format("Log in before the run: {}", login)};
}

}  // namespace

Result<PortalRole> portal_role(const Environment& environment, const Profiles& profiles, const std::string& profile,
                               const http::Way& way) {
  const auto session = profiles.find(profile, "sso_session");
  const auto needed = [&](const char* key, bool of_session) -> Result<std::string> {
    const auto value = session && of_session ? profiles.find_session(session->value, key) : profiles.find(profile, key);
    if (value) return value->value;
    return fail(ErrorCode::kConfigMissing,
                fmt::format("profile [{}] logs in by SSO, but {} is missing", printable(profile), key),
                fmt::format("{} were read", profiles.paths()),
                session && of_session ? fmt::format("Set it in [sso-session {}].", printable(session->value))
                                      : "Set it in the profile, as aws configure sso does.");
  };
  const auto start = needed("sso_start_url", true), region = needed("sso_region", true);
  const auto account = needed("sso_account_id", false), role = needed("sso_role_name", false);
  for (const auto* value : {&start, &region, &account, &role}) {
    if (!*value) return fail(value->error());
  }
  std::string url = fmt::format("https://portal.sso.{}.{}", *region, aws_domain(*region));
  const auto own = environment.get("AWS_ENDPOINT_URL_SSO");
  const auto named =
      own ? std::optional(ProfileValue{*own, "AWS_ENDPOINT_URL_SSO"}) : profiles.find_service("sso", "endpoint_url");
  if (named) {
    const auto endpoint = storage::parse_endpoint(trimmed(named->value), named->source);
    if (!endpoint) return fail(endpoint.error());
    url = endpoint->url();
  }
  return PortalRole{.url = std::move(url),
                    .way = way,
                    .account = *account,
                    .role = *role,
                    .token_file = file_of_login(session ? session->value : *start, environment),
                    .login = fmt::format("aws sso login --profile {}", printable(profile))};
}

Result<std::string> parse_portal_token(std::string_view text, const std::string& path, int64_t now) {
  const nlohmann::json login = nlohmann::json::parse(text, nullptr, false);
  std::string token = login.is_object() ? text_in(login, "accessToken") : std::string();
  const bool usable =
      !token.empty() && std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!usable) return fail(ErrorCode::kStorageProtocol, fmt::format("{} holds no accessToken", path));
  std::string end = text_in(login, "expiresAt");
  if (end.ends_with("UTC")) end.replace(end.size() - 3, 3, "Z");  // as older versions of the AWS CLI write it
  const auto ends = parse_iso_time(end);
  if (!ends) return fail(ErrorCode::kStorageProtocol, fmt::format("{} doesn't say when its token ends", path));
  if (*ends > now) return token;
  return fail(ErrorCode::kStorageDenied, fmt::format("the login in {} ended {} s ago", path, now - *ends));
}

Result<KeyLease> parse_portal_keys(std::string_view body, const std::string& service) {
  const nlohmann::json answer = nlohmann::json::parse(body, nullptr, false);
  const auto keys = answer.is_object() ? answer.find("roleCredentials") : answer.end();
  if (!answer.is_object() || keys == answer.end() || !keys->is_object()) {
    return fail(ErrorCode::kStorageProtocol, fmt::format("{}: the answer holds no keys", service));
  }
  KeyLease lease{{text_in(*keys, "accessKeyId"), text_in(*keys, "secretAccessKey"), text_in(*keys, "sessionToken")},
                 {}};
  if (lease.value.access_key.empty() || lease.value.secret_key.empty()) {
    return fail(ErrorCode::kStorageProtocol, fmt::format("{}: the answer holds no keys", service));
  }
  const auto end = keys->find("expiration");
  if (end == keys->end() || !end->is_number_integer() || end->get<int64_t>() <= 0) {
    return fail(ErrorCode::kStorageProtocol, fmt::format("{}: the answer doesn't say when its keys end", service));
  }
  lease.ends = end->get<int64_t>() / 1000;
  if (Status good = check_keys(lease.value, service); !good) return fail(std::move(good.error()));
  return lease;
}

Result<KeyLease> ask_portal(const PortalRole& role, const std::atomic<bool>& stop) {
  std::error_code ignored;
  if (!std::filesystem::exists(role.token_file, ignored)) {
    return fail(not_logged_in(ErrorCode::kConfigMissing,
                              fmt::format("nobody has logged in: {} isn't there", role.token_file), role.login));
  }
  const auto text = read_file(role.token_file, "the login", 256 * kKiB);
  if (!text) return fail(text.error());
  auto token = parse_portal_token(*text, role.token_file, time(nullptr));
  if (!token) return fail(not_logged_in(token.error().code, token.error().message, role.login));
  const std::string service = fmt::format("the access portal {} asked for role {} of account {}", role.url,
                                          printable(role.role), printable(role.account));
  http::ServiceRequest request{.url = role.url + "/federation/credentials?role_name=",
                               .headers = {{"x-amz-sso_bearer_token", std::move(*token)}},
                               .way = role.way};
  append_encoded_query(request.url, role.role);
  request.url += "&account_id=";
  append_encoded_query(request.url, role.account);
  const auto answer = http::call_service(request, stop);
  if (!answer) return fail(answer.error());
  if (answer->status == 200) return parse_portal_keys(answer->body, service);
  const nlohmann::json said = nlohmann::json::parse(answer->body, nullptr, false);
  const std::string words = said.is_object() ? text_in(said, "message") : std::string(trimmed(answer->body));
  std::string refusal = fmt::format("{}: HTTP {} {}", service, answer->status, printable(words, 200));
  if (answer->status == 401) return fail(not_logged_in(ErrorCode::kStorageDenied, std::move(refusal), role.login));
  return fail(ErrorCode::kStorageDenied, std::move(refusal), {},
              "Check sso_account_id and sso_role_name, and that this login may take the role.");
}

}  // namespace mlps::s3
