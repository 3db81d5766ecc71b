#include "storage/s3/settings.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "storage/object/tls_files.hpp"
#include "storage/s3/express.hpp"
#include "storage/s3/profiles.hpp"

namespace mlps::s3 {
namespace {

/// Variables and profiles, and the settings as far as they are resolved.
struct Resolution {
  const Location& root;
  const Environment& environment;
  const Profiles& profiles;
  Settings settings;

  bool is_gs() const { return root.scheme() == Scheme::kGs; }

  /// Returns the first of the variables that is set, else the profile's key. The profile counts for s3 alone: what it
  /// says is about AWS.
  std::optional<ProfileValue> find(std::initializer_list<const char*> variables, const char* key) const {
    for (const char* variable : variables) {
      if (const auto value = environment.get(variable)) return ProfileValue{*value, variable};
    }
    if (is_gs() || key == nullptr) return std::nullopt;
    return profiles.find(key);
  }
};

/// Returns a value that must be one of `words` (else E102 with the legal ones), or `otherwise` if there is none.
Result<std::string> choice(const std::optional<ProfileValue>& value, std::string_view otherwise,
                           std::initializer_list<std::string_view> words) {
  if (!value) return std::string(otherwise);
  const std::string chosen = lower(trimmed(value->value));
  for (const std::string_view word : words) {
    if (chosen == word) return chosen;
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is not known", value->source, printable(value->value)),
              {}, fmt::format("Use one of: {}.", join(words, ", ")));
}

Status resolve_region(Resolution& in) {
  Settings& settings = in.settings;
  settings.region = in.is_gs() ? "auto" : "us-east-1";
  const auto value = in.find({"AWS_REGION", "AWS_DEFAULT_REGION"}, "region");
  if (!value) return {};
  settings.region = value->value;
  settings.region_source = value->source;
  constexpr std::string_view kLegal = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  if (settings.region.find_first_not_of(kLegal) == std::string::npos) return {};
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("{}=\"{}\" is no region name", value->source, printable(value->value)));
}

Status resolve_tls(Resolution& in) {
  http::EngineSettings& engine = in.settings.engine;
  if (const auto bundle = in.find({"AWS_CA_BUNDLE"}, "ca_bundle")) {
    engine.ca_file = expanded_path(bundle->value, in.environment);
    if (Status good = object::check_authorities(engine.ca_file, bundle->source); !good) return good;
  }
  if (Status read = object::read_proxy(in.environment, engine); !read) return read;
  return object::read_own_certificate(in.environment, engine);
}

Status resolve_credentials(Resolution& in) {
  Settings& settings = in.settings;
  const bool known_region = settings.region_source != "default" && !in.is_gs();
  auto credentials =
      find_credentials({in.environment, in.profiles, known_region ? settings.region : "", settings.engine});
  if (!credentials) return fail(std::move(credentials.error()));
  settings.credentials = std::move(*credentials);
  if (in.profiles.is_chosen() && settings.credentials->source() == kVariablesSource) {
    settings.warnings.emplace_back(
        "AWS_PROFILE gives no keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set and outrank it");
  }
  return {};
}

Status resolve_endpoints(Resolution& in) {
  Settings& settings = in.settings;
  auto chosen = choose_endpoints(in.root, in.environment, in.profiles, settings.region);
  if (!chosen) return fail(std::move(chosen.error()));
  settings.endpoints = std::move(chosen->endpoints);
  settings.endpoint_source = std::move(chosen->source);
  if (!chosen->outranked.empty()) {
    settings.warnings.push_back(fmt::format("{} has no effect: {} names the endpoint, {}",
                                            join(chosen->outranked, ", "), settings.endpoint_source,
                                            storage::shown_endpoints(settings.endpoints)));
  }
  settings.express = !in.is_gs() && is_directory_bucket(in.root.bucket());
  if (!settings.express || !settings.is_aws_default()) return {};
  const auto zone = express_endpoint(in.root.bucket(), settings.region);
  if (!zone) return fail(zone.error());
  auto endpoints = storage::parse_endpoints({*zone}, kDefaultEndpoint);
  if (!endpoints) return fail(std::move(endpoints.error()));
  settings.endpoints = std::move(*endpoints);
  return {};
}

/// Has a directory bucket's requests signed with the keys of sessions.
Status resolve_sessions(Resolution& in) {
  Settings& settings = in.settings;
  if (!settings.express) return {};
  const auto off = switched_on(in.environment, in.profiles, "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
                               "s3_disable_express_session_auth");
  if (!off) return fail(off.error());
  settings.sessions = !*off && settings.credentials->source() != kNoKeysSource;
  if (!settings.sessions) return {};
  const Endpoint& first = settings.endpoints.front();
  const std::string& bucket = in.root.bucket();
  const std::string host = (settings.virtual_host ? bucket + "." : "") + first.authority();
  settings.credentials =
      session_keys(settings.credentials, (first.tls ? "https://" : "http://") + host,
                   first.path + (settings.virtual_host ? "/" : "/" + bucket), settings.region, settings.engine);
  return {};
}

Status resolve_addressing(Resolution& in) {
  Settings& settings = in.settings;
  const auto style =
      choice(in.find({"AWS_S3_ADDRESSING_STYLE"}, "s3.addressing_style"), "auto", {"path", "virtual", "auto"});
  if (!style) return fail(style.error());
  const std::string& bucket = in.root.bucket();
  const bool dotted = bucket.find('.') != std::string::npos;
  if (*style == "auto") {
    settings.virtual_host = settings.is_aws_default() && !in.is_gs() && !dotted;
    return {};
  }
  settings.virtual_host = *style == "virtual";
  if (!settings.virtual_host) return {};
  for (const Endpoint& endpoint : settings.endpoints) {
    if (endpoint.host_is_address() || (endpoint.tls && dotted)) {
      return fail(
          ErrorCode::kConfigIncompatible,
          fmt::format("AWS_S3_ADDRESSING_STYLE=virtual can't be used for bucket {} at {}", bucket, endpoint.url()),
          endpoint.host_is_address() ? "no name can be put in front of an address"
                                     : "a wildcard certificate doesn't cover a bucket name with dots",
          "Use AWS_S3_ADDRESSING_STYLE=path.");
    }
  }
  return {};
}

Status resolve_checksums(Resolution& in) {
  const std::initializer_list<std::string_view> words = {"when_supported", "when_required"};
  const auto calculated =
      choice(in.find({"AWS_REQUEST_CHECKSUM_CALCULATION"}, "request_checksum_calculation"), "when_supported", words);
  if (!calculated) return fail(calculated.error());
  const auto validated =
      choice(in.find({"AWS_RESPONSE_CHECKSUM_VALIDATION"}, "response_checksum_validation"), "when_supported", words);
  if (!validated) return fail(validated.error());
  const std::string_view usual = *calculated == "when_required" ? "none" : "crc32c";
  const auto checksum = choice(in.find({"MLPSTORAGE_S3_CHECKSUM"}, nullptr), usual, {"crc32c", "crc64nvme", "none"});
  if (!checksum) return fail(checksum.error());
  for (const Checksum kind : {Checksum::kNone, Checksum::kCrc32c, Checksum::kCrc64nvme}) {
    if (*checksum == names_of(kind).setting) in.settings.checksum = kind;
  }
  if (in.is_gs() && in.settings.checksum == Checksum::kCrc64nvme) {
    return fail(ErrorCode::kConfigIncompatible, "MLPSTORAGE_S3_CHECKSUM=crc64nvme: Google's servers keep CRC32C alone",
                {}, "Use crc32c or none.");
  }
  in.settings.asks_checksum = in.settings.checksum != Checksum::kNone && *validated == "when_supported";
  return {};
}

Status resolve_transfer(Resolution& in) {
  Settings& settings = in.settings;
  const auto by_profile = in.find({}, "s3.payload_signing_enabled");
  const std::string_view usual = by_profile && lower(by_profile->value) == "true" ? "signed" : "unsigned";
  const auto signing = choice(in.find({"MLPSTORAGE_S3_PAYLOAD_SIGNING"}, nullptr), usual, {"unsigned", "signed"});
  if (!signing) return fail(signing.error());
  settings.sign_payload = *signing == "signed";
  if (const auto text = in.find({"AWS_MAX_ATTEMPTS"}, "max_attempts")) {
    const auto value = parse_number<uint64_t>(trimmed(text->value));
    if (!value || *value < 1 || *value > 100) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("{}=\"{}\" is not a number from 1 to 100", text->source, printable(text->value)));
    }
    settings.retry.max_attempts = static_cast<unsigned>(*value);
  }
  auto headers = fixed_headers(in.environment);
  if (!headers) return fail(std::move(headers.error()));
  settings.headers = std::move(*headers);
  return {};
}

// What a profile says of the AWS CLI's own way to move data, and would be missed if nobody said that it has no effect.
Status note_unread(Resolution& in) {
  if (in.is_gs()) return {};
  std::vector<std::string> unread;
  std::string source;
  for (const char* key :
       {"s3.max_concurrent_requests", "s3.max_bandwidth", "s3.multipart_chunksize", "s3.multipart_threshold",
        "s3.use_accelerate_endpoint", "s3.signature_version", "retry_mode"}) {
    const auto value = in.profiles.find(key);
    if (!value) continue;
    unread.emplace_back(key);
    source = value->source;
  }
  if (unread.empty()) return {};
  in.settings.warnings.push_back(
      fmt::format("{}: {} {} not read by this program; see --io-depth, --io-part-size and "
                  "AWS_MAX_ATTEMPTS",
                  source, join(unread, ", "), unread.size() == 1 ? "is" : "are"));
  return {};
}

}  // namespace

Result<Settings> resolve_settings(const Location& root, const Environment& environment) {
  const auto profiles = Profiles::read(environment);
  if (!profiles) return fail(profiles.error());
  Resolution in{root, environment, *profiles, {}};
  if (auto status = object::read_balance(in.settings, environment); !status) return fail(std::move(status.error()));
  in.settings.google = in.is_gs();
  for (const auto step : {resolve_region, resolve_tls, resolve_credentials, resolve_endpoints, resolve_addressing,
                          resolve_sessions, resolve_checksums, resolve_transfer, note_unread}) {
    if (Status status = step(in); !status) return fail(std::move(status.error()));
  }
  return std::move(in.settings);
}

storage::SettingList describe(const Settings& settings) {
  const bool tls = settings.endpoints.front().tls;
  const http::EngineSettings& engine = settings.engine;
  std::string trust = engine.ca_file.empty() ? "system CA store" : "CA file " + engine.ca_file;
  if (!engine.certificate_file.empty()) trust += ", client certificate " + engine.certificate_file;
  storage::SettingList list = {
      {"endpoint", storage::shown_endpoints(settings.endpoints)},
      {"endpoint source", settings.endpoint_source},
      {"load balancing", std::string(object::balance_name(settings.balance))},
      {"region", settings.region},
      {"region source", settings.region_source},
      {"keys from", settings.credentials->source()},
      {"addressing", settings.virtual_host ? "virtual" : "path"},
      {"payload signing", settings.sign_payload ? "signed (SHA-256)" : "unsigned"},
      {"checksum", std::string(names_of(settings.checksum).setting) +
                       (settings.checksum == Checksum::kNone || settings.asks_checksum ? "" : ", not asked back")},
      {"max attempts", std::to_string(settings.retry.max_attempts)},
      {"tls", tls ? "verified, " + trust : "off (http)"},
      {"proxy", engine.proxy.empty() ? "none" : engine.proxy},
  };
  if (settings.google) list.insert(list.begin() + 2, {"interface", "XML (HMAC keys)"});
  list.insert(list.end(), settings.headers.shown.begin(), settings.headers.shown.end());
  list.emplace_back("http library", http::library_version());
  return list;
}

}  // namespace mlps::s3
