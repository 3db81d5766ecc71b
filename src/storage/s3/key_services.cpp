#include "storage/s3/key_services.hpp"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/child_process.hpp"
#include "base/encoding.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "storage/http/service_call.hpp"
#include "storage/s3/credentials.hpp"
#include "storage/s3/xml.hpp"

namespace mlps::s3 {
namespace {

using http::ServiceAnswer;
using http::ServiceRequest;

constexpr Nanos kProgramLimit = 60'000'000'000;
// The metadata service is on the instance's own host: what takes longer is not there.
constexpr unsigned kMetadataMilliseconds = 2'000;

tl::unexpected<Error> unusable(const std::string& service, std::string_view why) {
  return fail(ErrorCode::kStorageProtocol, fmt::format("{}: {}", service, why));
}

/// Returns a success as it is, and what a service refused as an error with its status and the beginning of its words,
/// which it gives without secrets.
Result<ServiceAnswer> accepted(Result<ServiceAnswer> answer, const std::string& service) {
  if (!answer || answer->status == 200) return answer;
  return fail(ErrorCode::kStorageDenied,
              fmt::format("{}: HTTP {} {}", service, answer->status, printable(trimmed(answer->body), 200)));
}

Result<KeyLease> checked(KeyLease lease, const std::string& service) {
  if (lease.value.access_key.empty() || lease.value.secret_key.empty()) {
    return unusable(service, "the answer holds no keys");
  }
  if (Status good = check_keys(lease.value, service); !good) return fail(std::move(good.error()));
  return lease;
}

Result<std::string> token_in(const std::string& path, const std::string& what) {
  Result<std::string> text = read_file(path, what, 256 * kKiB);
  if (!text) return text;
  const std::string token(trimmed(*text));
  if (token.empty() || token.find_first_of("\r\n") != std::string::npos) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} {} holds no token of one line", what, path));
  }
  return token;
}

/// Appends "name=value" of a form.
void add_field(std::string& form, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!form.empty()) form += '&';
  form.append(name).append("=");
  append_encoded_query(form, value);
}

std::string role_form(std::string_view action, const Role& role) {
  std::string form;
  add_field(form, "Action", action);
  add_field(form, "Version", "2011-06-15");
  add_field(form, "RoleArn", role.arn);
  add_field(form, "RoleSessionName", role.session_name);
  add_field(form, "ExternalId", role.external_id);
  if (role.seconds) add_field(form, "DurationSeconds", std::to_string(*role.seconds));
  return form;
}

std::string service_name(const Role& role) {
  return fmt::format("the token service {} asked for role {}", role.url, printable(role.arn));
}

Result<KeyLease> ask_role(const Role& role, ServiceRequest request, const std::atomic<bool>& stop) {
  request.way = role.way;
  const auto answer = call_service(request, stop);
  if (!answer) return fail(answer.error());
  return parse_role_answer(answer->status, answer->body, service_name(role));
}

/// The parts of a URL as they are signed: what stands in the Host header, and the path.
std::pair<std::string, std::string> host_and_path(const std::string& url) {
  const auto begin = url.find("://") + 3;
  const auto slash = url.find('/', begin);
  if (slash == std::string::npos) return {url.substr(begin), "/"};
  return {url.substr(begin, slash - begin), url.substr(slash)};
}

}  // namespace

Result<KeyLease> parse_json_keys(std::string_view text, const char* token_name, const std::string& service) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return unusable(service, "the answer is no JSON object");
  const auto text_of = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (const std::string code = text_of("Code"); !code.empty() && code != "Success") {
    return fail(ErrorCode::kStorageDenied,
                fmt::format("{}: {} {}", service, printable(code, 100), printable(text_of("Message"), 200)));
  }
  KeyLease lease{{text_of("AccessKeyId"), text_of("SecretAccessKey"), text_of(token_name)}, {}};
  if (const std::string end = text_of("Expiration"); !end.empty()) {
    lease.ends = parse_iso_time(end);
    if (!lease.ends) return unusable(service, fmt::format("the Expiration \"{}\" is no time", printable(end, 60)));
  }
  return checked(std::move(lease), service);
}

Result<KeyLease> parse_role_answer(int status, std::string_view body, const std::string& service) {
  const RoleAnswer answer = parse_role_body(body);
  if (status != 200 || answer.access_key.empty()) {
    const bool retired = answer.error.code.empty();
    // What answered with a success may have sent keys in a form of its own, which nobody is to see.
    const std::string words = status == 200 ? "the answer holds no keys" : printable(trimmed(body.substr(0, 200)), 200);
    return fail(status == 200 ? ErrorCode::kStorageProtocol : ErrorCode::kStorageDenied,
                fmt::format("{}: HTTP {} {}{}{}", service, status, retired ? words : answer.error.code,
                            retired ? "" : ": ", answer.error.message),
                {},
                status == 200 || retired ? "AWS_ENDPOINT_URL_STS names another token service than AWS_ENDPOINT_URL."
                                         : "Check the role, who may assume it, and the keys that ask for it.");
  }
  const auto ends = parse_iso_time(answer.expiration);
  if (!ends) return unusable(service, "the answer says no time at which its keys end");
  return checked({{answer.access_key, answer.secret_key, answer.session_token}, ends}, service);
}

Result<KeyLease> ask_instance(const InstanceMetadata& service, const std::atomic<bool>& stop) {
  const std::string name = "the metadata service " + service.url;
  ServiceRequest request{.method = "PUT",
                         .url = service.url + "/latest/api/token",
                         .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                         .connect_milliseconds = kMetadataMilliseconds,
                         .total_milliseconds = kMetadataMilliseconds};
  const auto token = accepted(call_service(request, stop), name);
  if (!token) return fail(token.error());
  request.method = "GET";
  request.headers = {{"X-aws-ec2-metadata-token", std::string(trimmed(token->body))}};
  if (request.headers.front().second.find_first_of("\r\n") != std::string::npos) return unusable(name, "no token");
  const std::string roles = service.url + "/latest/meta-data/iam/security-credentials/";
  request.url = roles;
  const auto listed = call_service(request, stop);
  if (listed && listed->status == 404) {
    return fail(ErrorCode::kConfigMissing, name + ": the instance has no role, so there are no keys", {},
                "Give the instance a role, or set keys or AWS_PROFILE.");
  }
  const auto role = accepted(listed, name);
  if (!role) return fail(role.error());
  const std::string_view first = trimmed(role->body).substr(0, trimmed(role->body).find('\n'));
  request.url = roles;
  append_encoded_path(request.url, trimmed(first));
  const auto keys = accepted(call_service(request, stop), name);
  if (!keys) return fail(keys.error());
  return parse_json_keys(keys->body, "Token", name);
}

Result<KeyLease> ask_container(const ContainerService& service, const std::atomic<bool>& stop) {
  const std::string name = "the container's service " + service.url.substr(0, service.url.find('?'));
  ServiceRequest request{.url = service.url,
                         .way = service.way,
                         .connect_milliseconds = kMetadataMilliseconds,
                         .total_milliseconds = kMetadataMilliseconds};
  std::string token = service.token;
  if (!service.token_file.empty()) {
    auto read = token_in(service.token_file, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!read) return fail(std::move(read.error()));
    token = std::move(*read);
  }
  if (!token.empty()) request.headers.emplace_back("Authorization", std::move(token));
  const auto answer = accepted(call_service(request, stop), name);
  if (!answer) return fail(answer.error());
  return parse_json_keys(answer->body, "Token", name);
}

Result<KeyLease> ask_program(const std::vector<std::string>& command, const std::atomic<bool>& stop) {
  const std::string name = "credential_process " + command.front();
  auto printed = answer_of(command, kProgramLimit, stop);
  if (!printed) {
    Error error = std::move(printed.error());
    error.message = "credential_process: " + error.message;
    return fail(std::move(error));
  }
  const auto json = nlohmann::json::parse(*printed, nullptr, false);
  if (!json.is_object() || json.value("Version", nlohmann::json()) != 1) {
    return unusable(name, "what it prints is no JSON with \"Version\": 1");
  }
  return parse_json_keys(*printed, "SessionToken", name);
}

Result<KeyLease> assume_role(const Role& role, const Credentials& own, const std::atomic<bool>& stop) {
  ServiceRequest request{.method = "POST", .url = role.url, .body = role_form("AssumeRole", role)};
  const auto [host, path] = host_and_path(role.url);
  const std::string type = "application/x-www-form-urlencoded; charset=utf-8", when = amz_time(time(nullptr));
  const std::string hash = sha256_hex(request.body);
  std::vector<SignedHeader> headers = {{"content-type", type}, {"host", host}, {"x-amz-date", when}};
  if (!own.session_token.empty()) headers.push_back({"x-amz-security-token", own.session_token});
  Signer signer(own, role.region, "sts");
  const std::string signature = signer.authorization({"POST", path, "", headers, hash, when});
  for (const SignedHeader& header : headers) request.headers.emplace_back(header.name, header.value);
  request.headers.emplace_back("Authorization", signature);
  return ask_role(role, std::move(request), stop);
}

Result<KeyLease> assume_role_with_web_identity(const Role& role, const std::atomic<bool>& stop) {
  auto token = token_in(role.token_file, "the web identity token");
  if (!token) return fail(std::move(token.error()));
  ServiceRequest request{.method = "POST", .url = role.url, .body = role_form("AssumeRoleWithWebIdentity", role)};
  add_field(request.body, "WebIdentityToken", *token);
  return ask_role(role, std::move(request), stop);
}

}  // namespace mlps::s3
