#include "storage/gcs/identity.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/read_file.hpp"
#include "storage/gcs/answers.hpp"

namespace mlps::gcs {
namespace {

using nlohmann::json;

constexpr char kScope[] = "https://www.googleapis.com/auth/devstorage.read_write";
constexpr char kJwtGrant[] = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr char kUsualTokenUrl[] = "https://oauth2.googleapis.com/token";
constexpr char kUsualMetadataHost[] = "metadata.google.internal";
constexpr char kTokenPath[] = "/computeMetadata/v1/instance/service-accounts/default/token";
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 20;
constexpr int64_t kAssertionSeconds = 3600;

/// A credentials file while it is read.
class CredentialsFile {
 public:
  CredentialsFile(const json& content, const std::string& path) : content_(content), path_(path) {}

  /// Returns the text of a member; takes note of the first one that is absent or no text fit for a request.
  std::string required(const char* name) {
    std::string text = optional(name);
    if (text.empty() && missing_.empty()) missing_ = name;
    return text;
  }
  std::string optional(const char* name) const {
    const auto at = content_.find(name);
    return at != content_.end() && at->is_string() ? at->get<std::string>() : std::string();
  }
  /// Returns the address of the token service: the file's, or the usual one.
  std::string token_url() {
    std::string url = optional("token_uri");
    if (url.empty()) return kUsualTokenUrl;
    const bool web = url.starts_with("https://") || url.starts_with("http://");
    const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if ((!web || !plain) && missing_.empty()) missing_ = "token_uri";
    return url;
  }
  tl::unexpected<Error> malformed(std::string_view why) const {
    return fail(ErrorCode::kConfigParse, fmt::format("{}: {}", path_, why), {},
                "GOOGLE_APPLICATION_CREDENTIALS names the JSON key of a service account, or the file that `gcloud auth "
                "application-default login` writes.");
  }
  /// Returns `identity`, unless something it needs was missing.
  Result<FoundIdentity> done(Identity identity, std::string who) const {
    if (!missing_.empty()) return malformed(fmt::format("no usable \"{}\"", missing_));
    std::string project = optional("quota_project_id");
    if (printable(project) != project) return malformed("no usable \"quota_project_id\"");
    return FoundIdentity{std::move(identity), fmt::format("{} of {}", who, path_), std::move(project)};
  }

 private:
  const json& content_;
  const std::string& path_;
  std::string missing_;
};

Result<FoundIdentity> service_account(CredentialsFile file) {
  ServiceAccount account{file.required("client_email"), file.optional("private_key_id"), file.required("private_key"),
                         file.token_url()};
  const std::string who = "service account " + printable(account.email, 100);
  if (!account.private_key.empty()) {
    if (const auto trial = signed_assertion(account, 0); !trial) return file.malformed(trial.error().message);
  }
  return file.done(std::move(account), who);
}

Result<FoundIdentity> authorized_user(CredentialsFile file) {
  AuthorizedUser user{file.required("client_id"), file.required("client_secret"), file.required("refresh_token"),
                      file.token_url()};
  return file.done(std::move(user), "authorized user");
}

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* memory) const { BIO_free(memory); }
};

/// Refuses to ask for the password of an encrypted key, as OpenSSL would on the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

std::string base64url(std::string_view bytes) {
  std::string text = base64(std::as_bytes(std::span(bytes)));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

/// Returns the RSA signature with SHA-256 (PKCS #1) of `text`.
Result<std::string> rs256(const std::string& pem, const std::string& text) {
  const auto refuse = [] { return fail(ErrorCode::kConfigParse, "\"private_key\" is no RSA key in PEM form"); };
  const std::unique_ptr<BIO, KeyDeleter> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, KeyDeleter> key(
      memory ? PEM_read_bio_PrivateKey(memory.get(), nullptr, no_password, nullptr) : nullptr);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return refuse();
  const std::unique_ptr<EVP_MD_CTX, KeyDeleter> context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t length = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &length, bytes, text.size()) != 1) {
    return refuse();
  }
  std::string out(length, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length, bytes, text.size()) != 1) {
    return refuse();
  }
  out.resize(length);
  return out;
}

void add_field(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form.append(name).append("=");
  append_encoded_query(form, value);
}

http::ServiceRequest form_request(const std::string& url, std::string form) {
  http::ServiceRequest request{.method = "POST", .url = url};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = std::move(form);
  return request;
}

std::string advice_for(const Identity& identity) {
  if (std::holds_alternative<ServiceAccount>(identity)) {
    return "Check that the key is not deleted or disabled, and this host's clock; get a fresh key otherwise.";
  }
  if (std::holds_alternative<AuthorizedUser>(identity)) {
    return "Log in again: gcloud auth application-default login.";
  }
  return "Give credentials: GOOGLE_APPLICATION_CREDENTIALS, or HMAC keys in AWS_ACCESS_KEY_ID and "
         "AWS_SECRET_ACCESS_KEY. On a Google machine, attach a service account with storage scope to it.";
}

}  // namespace

Result<FoundIdentity> parse_credentials(std::string_view text, const std::string& path) {
  const json content = json::parse(text, nullptr, false);
  static const json kNothing = json::object();
  CredentialsFile file(content.is_object() ? content : kNothing, path);
  if (!content.is_object()) return file.malformed("is no JSON object");
  const std::string type = file.optional("type");
  if (type == "service_account") return service_account(std::move(file));
  if (type == "authorized_user") return authorized_user(std::move(file));
  return fail(
      ErrorCode::kConfigIncompatible,
      fmt::format("{} holds credentials of type \"{}\", which this program can't use", path, printable(type, 60)),
      "service_account and authorized_user are known",
      "Use the JSON key of a service account, `gcloud auth application-default login`, a Google machine's own "
      "service account, or HMAC keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.");
}

Result<FoundIdentity> find_identity(const Environment& environment) {
  const auto named = environment.get("GOOGLE_APPLICATION_CREDENTIALS");
  std::string path = named.value_or("");
  if (!named) {
    const auto folder = environment.get("CLOUDSDK_CONFIG");
    path = folder.value_or(environment.get("HOME").value_or("") + "/.config/gcloud") +
           "/application_default_credentials.json";
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      const std::string host = environment.get("GCE_METADATA_HOST").value_or(kUsualMetadataHost);
      if (host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]") !=
          std::string::npos) {
        return fail(ErrorCode::kConfigInvalid, fmt::format("GCE_METADATA_HOST=\"{}\" is no host", printable(host)), {},
                    "Write it as host or host:port.");
      }
      return FoundIdentity{MetadataServer{host}, "metadata server " + host, ""};
    }
  }
  const auto text = read_file(path, named ? "GOOGLE_APPLICATION_CREDENTIALS" : "gcloud's credentials", kMaxFileBytes);
  if (!text) return fail(text.error());
  return parse_credentials(*text, path);
}

Result<std::string> signed_assertion(const ServiceAccount& account, int64_t now) {
  Json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!account.key_id.empty()) header["kid"] = account.key_id;
  const Json claims = {{"iss", account.email},
                       {"scope", kScope},
                       {"aud", account.token_url},
                       {"iat", now},
                       {"exp", now + kAssertionSeconds}};
  std::string text = base64url(header.dump()) + "." + base64url(claims.dump());
  const auto signature = rs256(account.private_key, text);
  if (!signature) return fail(signature.error());
  return text + "." + base64url(*signature);
}

Result<http::ServiceRequest> token_request(const Identity& identity, int64_t now, const http::Way& way) {
  http::ServiceRequest request;
  std::string form;
  if (const auto* account = std::get_if<ServiceAccount>(&identity)) {
    const auto assertion = signed_assertion(*account, now);
    if (!assertion) return fail(assertion.error());
    add_field(form, "grant_type", kJwtGrant);
    add_field(form, "assertion", *assertion);
    request = form_request(account->token_url, std::move(form));
  } else if (const auto* user = std::get_if<AuthorizedUser>(&identity)) {
    add_field(form, "grant_type", "refresh_token");
    add_field(form, "client_id", user->client_id);
    add_field(form, "client_secret", user->client_secret);
    add_field(form, "refresh_token", user->refresh_token);
    request = form_request(user->token_url, std::move(form));
  } else if (const auto* machine = std::get_if<MetadataServer>(&identity)) {
    request.url = "http://" + machine->host + kTokenPath;
    request.headers = {{"Metadata-Flavor", "Google"}};
  } else {
    return fail(ErrorCode::kInternal, "nobody has no token");
  }
  request.way = way;
  return request;
}

Result<object::Lease<std::string>> ask_token(const FoundIdentity& who, const http::Way& way,
                                             const std::atomic<bool>& stop) {
  const int64_t now = time(nullptr);
  const auto request = token_request(who.identity, now, way);
  if (!request) return fail(request.error());
  const std::string what = fmt::format("token for gs:// from {} (credentials: {})", request->url, who.source);
  auto answer = http::call_service(*request, stop);
  if (!answer) {
    Error error = std::move(answer.error());
    error.message = fmt::format("{}: {}", what, error.message);
    if (error.code != ErrorCode::kInterrupted) error.suggestion = advice_for(who.identity);
    return fail(std::move(error));
  }
  const bool from_metadata = std::holds_alternative<MetadataServer>(who.identity);
  if (answer->status != 200) {
    const ServerError said = parse_error_body(answer->body);
    return fail(ErrorCode::kStorageDenied,
                fmt::format("{}: HTTP {} {}{}{}", what, answer->status, said.reason, said.message.empty() ? "" : ": ",
                            said.message),
                {}, advice_for(who.identity));
  }
  if (from_metadata && answer->headers["metadata-flavor"] != "Google") {
    return fail(ErrorCode::kStorageProtocol, fmt::format("{}: what answers is no metadata server of Google", what), {},
                advice_for(who.identity));
  }
  auto token = parse_token(answer->body);
  if (!token) return fail(token.error().code, fmt::format("{}: {}", what, token.error().message));
  return object::Lease<std::string>{std::move(token->value), now + token->lifetime.count()};
}

}  // namespace mlps::gcs
