#include "storage/s3/credentials.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/encoding.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "storage/endpoint_text.hpp"
#include "storage/s3/endpoint_sources.hpp"
#include "storage/s3/key_services.hpp"
#include "storage/s3/sso.hpp"

namespace mlps::s3 {
namespace {

using Found = Result<std::shared_ptr<KeySource>>;

constexpr char kKeysAdvice[] =
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile with keys, or "
    "AWS_NO_SIGN_REQUEST=yes "
    "to send requests without a signature.";
constexpr char kContainerHost[] = "http://169.254.170.2";
constexpr unsigned kMostProfiles = 5;  // that assume each other's roles

/// Returns a variable if it is set to something that means yes; E102 for what means neither yes nor no.
Result<bool> is_on(const Environment& environment, const char* variable) {
  const std::string value = lower(trimmed(environment.get(variable).value_or("no")));
  for (const char* yes : {"yes", "true", "1", "on"}) {
    if (value == yes) return true;
  }
  for (const char* no : {"no", "false", "0", "off"}) {
    if (value == no) return false;
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is neither yes nor no", variable, printable(value)));
}

Found known_keys(Credentials keys, const std::string& source) {
  if (Status good = check_keys(keys, source); !good) return fail(std::move(good.error()));
  return std::make_shared<KeySource>(source, std::move(keys));
}

template <class Ask>
Found asked_keys(std::string source, Ask ask) {
  return std::make_shared<KeySource>(std::move(source), KeySource::Ask(std::move(ask)));
}

/// Reads the keys of a profile once more, because a server refused those that were read before: some other program may
/// have put new ones there.
Result<KeyLease> keys_of_file(const Environment& environment, const std::string& profile) {
  const auto profiles = Profiles::read(environment);
  if (!profiles) return fail(profiles.error());
  const auto keys = profiles->find_keys(profile);
  if (!keys || keys->access_key.empty() || keys->secret_key.empty()) {
    return fail(ErrorCode::kConfigMissing, fmt::format("profile [{}] has no keys any more", profile));
  }
  Credentials found{keys->access_key, keys->secret_key, keys->session_token};
  if (Status good = check_keys(found, keys->source); !good) return fail(std::move(good.error()));
  return KeyLease{std::move(found), {}};
}

/// Searches for keys. Each step returns a source, an error, or null for "not set here".
class Search {
 public:
  explicit Search(const KeySearch& input) : in_(input), environment_(input.environment), profiles_(input.profiles) {}

  Found find() {
    const Result<bool> unsigned_requests = is_on(environment_, "AWS_NO_SIGN_REQUEST");
    if (!unsigned_requests) return fail(unsigned_requests.error());
    if (*unsigned_requests) {
      return std::make_shared<KeySource>(std::string(kNoKeysSource), Credentials{});
    }
    Found found = from_variables();
    if (settled(found)) return found;
    if (profiles_.is_chosen()) return chosen_profile();
    for (const auto step : {&Search::web_identity, &Search::default_profile, &Search::container, &Search::instance}) {
      found = (this->*step)();
      if (settled(found)) return found;
    }
    return nothing();
  }

 private:
  static bool settled(const Found& found) { return !found || *found != nullptr; }

  Found from_variables() const {
    const auto access = environment_.get("AWS_ACCESS_KEY_ID"), secret = environment_.get("AWS_SECRET_ACCESS_KEY");
    if (access.has_value() != secret.has_value()) {
      return fail(ErrorCode::kConfigMissing,
                  fmt::format("{} is set but {} isn't", access ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                              access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"),
                  {}, kKeysAdvice);
    }
    if (!access) return nullptr;
    return known_keys({*access, *secret, environment_.get("AWS_SESSION_TOKEN").value_or("")},
                      std::string(kVariablesSource));
  }

  Found chosen_profile() {
    Found found = from_profile(profiles_.name(), 0);
    if (settled(found)) return found;
    return fail(ErrorCode::kConfigMissing, fmt::format("profile [{}] has no keys", profiles_.name()),
                fmt::format("{} were read", profiles_.paths()), kKeysAdvice);
  }

  Found default_profile() { return from_profile(profiles_.name(), 0); }

  std::string text(const std::string& profile, const char* key) const {
    const auto value = profiles_.find(profile, key);
    return value ? value->value : std::string();
  }

  // A role comes before keys of the same profile: they may be those that ask for it.
  Found from_profile(const std::string& profile, unsigned depth) {
    if (!text(profile, "role_arn").empty()) return from_role(profile, depth);
    return without_role(profile);
  }

  Found without_role(const std::string& profile) const {
    if (const auto keys = profiles_.find_keys(profile)) {
      if (keys->access_key.empty() || keys->secret_key.empty()) {
        return fail(ErrorCode::kConfigMissing,
                    fmt::format("{} has no {}", keys->source,
                                keys->access_key.empty() ? "aws_access_key_id" : "aws_secret_access_key"),
                    {}, kKeysAdvice);
      }
      const Credentials found{keys->access_key, keys->secret_key, keys->session_token};
      if (Status good = check_keys(found, keys->source); !good) return fail(std::move(good.error()));
      return asked_keys(keys->source, [environment = environment_, profile](const std::atomic<bool>&) {
        return keys_of_file(environment, profile);
      });
    }
    for (const char* key : {"sso_session", "sso_start_url"}) {
      if (profiles_.find(profile, key)) return from_portal(profile);
    }
    if (const auto line = profiles_.find(profile, "credential_process")) {
      auto command = shell_split(line->value);
      if (!command || command->empty()) {
        return fail(ErrorCode::kConfigParse, fmt::format("{}: credential_process is no command line", line->source));
      }
      const std::string source = fmt::format("credential_process {} of {}", command->front(), line->source);
      return asked_keys(
          source, [words = std::move(*command)](const std::atomic<bool>& stop) { return ask_program(words, stop); });
    }
    if (const auto value = profiles_.find(profile, "login_session")) {
      return fail(ErrorCode::kConfigIncompatible,
                  fmt::format("{} has login_session: this program can't log in to anything", value->source), {},
                  fmt::format("Have the AWS CLI do it: in another profile, credential_process = aws configure "
                              "export-credentials --profile {}",
                              profile));
    }
    return nullptr;
  }

  Found from_portal(const std::string& profile) const {
    auto role = portal_role(environment_, profiles_, profile, in_.way);
    if (!role) return fail(std::move(role.error()));
    const std::string source = fmt::format("SSO role {} of account {} by {}", role->role, role->account, role->url);
    return asked_keys(source,
                      [asked = std::move(*role)](const std::atomic<bool>& stop) { return ask_portal(asked, stop); });
  }

  Found from_role(const std::string& profile, unsigned depth) {
    const ProfileValue arn = *profiles_.find(profile, "role_arn");
    if (!text(profile, "mfa_serial").empty()) {
      return fail(ErrorCode::kConfigIncompatible,
                  fmt::format("{} wants a code of a device (mfa_serial), which nobody can type in a run", arn.source),
                  {},
                  fmt::format("Get keys where somebody can, and set them: eval \"$(aws configure export-credentials "
                              "--profile {} --format env)\"",
                              profile));
    }
    auto role = role_of(arn.value, text(profile, "role_session_name"));
    if (!role) return fail(std::move(role.error()));
    role->external_id = text(profile, "external_id");
    if (const std::string seconds = text(profile, "duration_seconds"); !seconds.empty()) {
      role->seconds = parse_number<uint64_t>(seconds);
      if (!role->seconds) {
        return fail(ErrorCode::kConfigInvalid, fmt::format("{}: duration_seconds is no number", arn.source));
      }
    }
    if (const std::string file = text(profile, "web_identity_token_file"); !file.empty()) {
      role->token_file = expanded_path(file, environment_);
      return role_with_token(std::move(*role), arn.source);
    }
    Found own = keys_of_role(profile, arn, depth);
    if (!own) return own;
    const std::string source = fmt::format("role {} by {} ({})", arn.value, role->url, arn.source);
    return asked_keys(source,
                      [asked = std::move(*role), keys = *own](const std::atomic<bool>& stop) -> Result<KeyLease> {
                        const auto current = keys->get();
                        if (!current) return fail(current.error());
                        return assume_role(asked, **current, stop);
                      });
  }

  /// Returns the keys that ask for the role of a profile.
  Found keys_of_role(const std::string& profile, const ProfileValue& arn, unsigned depth) {
    const std::string source = text(profile, "source_profile"), kind = text(profile, "credential_source");
    if (source.empty() == kind.empty()) {
      return fail(ErrorCode::kConfigMissing,
                  fmt::format("{} has role_arn, and {}", arn.source,
                              source.empty() ? "neither source_profile nor credential_source"
                                             : "both source_profile and credential_source"),
                  {}, "Give one of the two: where the keys come from that ask for the role.");
    }
    Found own = nullptr;
    if (kind == "Environment") {
      own = from_variables();
    } else if (kind == "EcsContainer") {
      own = container();
    } else if (kind == "Ec2InstanceMetadata") {
      own = instance_service();
    } else if (!kind.empty()) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("{}: credential_source \"{}\" is not known", arn.source, printable(kind)), {},
                  "Use one of: Environment, Ec2InstanceMetadata, EcsContainer.");
    } else if (!profiles_.has(source)) {
      return fail(ErrorCode::kConfigMissing,
                  fmt::format("{}: there is no profile [{}] (source_profile)", arn.source, printable(source)));
    } else if (depth + 1 >= kMostProfiles) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("{}: more than {} profiles assume each other's roles", arn.source, kMostProfiles));
    } else {
      own = source == profile ? without_role(source) : from_profile(source, depth + 1);
    }
    if (settled(own)) return own;
    return fail(ErrorCode::kConfigMissing,
                fmt::format("{}: {} {} has no keys to ask for the role with", arn.source,
                            kind.empty() ? "source_profile" : "credential_source", kind.empty() ? source : kind));
  }

  Result<Role> role_of(const std::string& arn, const std::string& session) const {
    auto endpoint = token_service(environment_, profiles_, in_.region);
    if (!endpoint) return fail(std::move(endpoint.error()));
    return Role{.url = std::move(*endpoint),
                .region = in_.region.empty() ? "us-east-1" : in_.region,
                .way = in_.way,
                .arn = arn,
                .session_name = session.empty() ? fmt::format("mlpstorage-{}", time(nullptr)) : session};
  }

  Found role_with_token(Role role, const std::string& where) const {
    const std::string source =
        fmt::format("web identity of {} for role {} by {} ({})", role.token_file, role.arn, role.url, where);
    return asked_keys(source, [asked = std::move(role)](const std::atomic<bool>& stop) {
      return assume_role_with_web_identity(asked, stop);
    });
  }

  Found web_identity() {
    const auto file = environment_.get("AWS_WEB_IDENTITY_TOKEN_FILE"), arn = environment_.get("AWS_ROLE_ARN");
    if (!file) return nullptr;
    if (!arn) {
      return fail(ErrorCode::kConfigMissing, "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN isn't", {},
                  "Set AWS_ROLE_ARN to the role that the token is for.");
    }
    auto role = role_of(*arn, environment_.get("AWS_ROLE_SESSION_NAME").value_or(""));
    if (!role) return fail(std::move(role.error()));
    role->token_file = expanded_path(*file, environment_);
    return role_with_token(std::move(*role), "AWS_WEB_IDENTITY_TOKEN_FILE");
  }

  Found container() {
    const auto relative = environment_.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const auto full = environment_.get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) return nullptr;
    ContainerService service{.url = relative ? kContainerHost + *relative : *full,
                             .token = environment_.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or(""),
                             .token_file = expanded_path(
                                 environment_.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").value_or(""), environment_),
                             .way = in_.way};
    const char* variable = relative ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    if (Status good = check_container(service, variable); !good) return fail(std::move(good.error()));
    return asked_keys(fmt::format("{} ({})", variable, service.url.substr(0, service.url.find('?'))),
                      [service](const std::atomic<bool>& stop) { return ask_container(service, stop); });
  }

  // Keys without encryption come from this host, or from the addresses that ECS and EKS use for that.
  static Status check_container(const ContainerService& service, const char* variable) {
    if (service.token.find_first_of("\r\n") != std::string::npos) {
      return fail(ErrorCode::kConfigInvalid, "AWS_CONTAINER_AUTHORIZATION_TOKEN holds a line end");
    }
    const auto begin = service.url.find("://");
    const auto end = begin == std::string::npos ? begin : service.url.find_first_of("/?", begin + 3);
    const auto server = storage::parse_endpoint(service.url.substr(0, end), variable);
    if (!server) return fail(server.error());
    const std::string host = server->host_name();
    const bool own = host == "localhost" || host.starts_with("127.") || host == "::1" || host == "169.254.170.2" ||
                     host == "169.254.170.23" || host == "fd00:ec2::23";
    if (server->tls || own) return {};
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{}: keys can't be fetched from {} without encryption", variable, server->url()), {},
                "Write it with https://, or with an address of this host, 169.254.170.2 or 169.254.170.23.");
  }

  Found instance_service() const {
    const Result<bool> off = is_on(environment_, "AWS_EC2_METADATA_DISABLED");
    if (!off) return fail(off.error());
    if (*off) return nullptr;
    InstanceMetadata service;
    if (const auto url = environment_.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
      const auto server = storage::parse_endpoint(trimmed(*url), "AWS_EC2_METADATA_SERVICE_ENDPOINT");
      if (!server) return fail(server.error());
      service.url = server->url();
    } else if (lower(environment_.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("")) == "ipv6") {
      service.url = "http://[fd00:ec2::254]";
    }
    return asked_keys("metadata service of the instance (" + service.url + ")",
                      [service](const std::atomic<bool>& stop) { return ask_instance(service, stop); });
  }

  // Elsewhere than on such an instance the search would end in seconds of waiting, and in a dry run in nothing at all.
  Found instance() {
    const bool named = environment_.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").has_value();
    if (!named && !is_instance()) return nullptr;
    return instance_service();
  }

  static bool is_instance() {
    const auto vendor = read_file("/sys/class/dmi/id/sys_vendor", "vendor");
    const auto version = read_file("/sys/class/dmi/id/bios_version", "version");
    return vendor.value_or("").starts_with("Amazon EC2") ||
           lower(version.value_or("")).find("amazon") != std::string::npos;
  }

  Found nothing() const {
    return fail(ErrorCode::kConfigMissing, "no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
                fmt::format("nor has profile [{}] any ({}), nor are AWS_WEB_IDENTITY_TOKEN_FILE or "
                            "AWS_CONTAINER_CREDENTIALS_... set, nor is this an EC2 instance with a metadata service",
                            profiles_.name(), profiles_.paths()),
                kKeysAdvice);
  }

  const KeySearch& in_;
  const Environment& environment_;
  const Profiles& profiles_;
};

}  // namespace

Status check_keys(const Credentials& keys, const std::string& source) {
  const std::pair<const char*, const std::string*> parts[] = {
      {"access key", &keys.access_key}, {"secret key", &keys.secret_key}, {"session token", &keys.session_token}};
  for (const auto& [name, value] : parts) {
    const bool good = std::all_of(value->begin(), value->end(),
                                  [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
    if (good) continue;
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("the {} from {} holds blanks, a line end or control characters", name, source), {},
                "Look for a line end behind it: a file or variable made by echo has one, by printf none.");
  }
  return {};
}

Found find_credentials(const KeySearch& search) {
  return Search(search).find();
}

}  // namespace mlps::s3
