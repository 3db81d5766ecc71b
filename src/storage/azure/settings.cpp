#include "storage/azure/settings.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "location/azure_account.hpp"
#include "storage/endpoint_text.hpp"

namespace mlps::azure {
namespace {

constexpr std::string_view kConnectionString = "AZURE_STORAGE_CONNECTION_STRING";
constexpr std::string_view kAuth = "MLPSTORAGE_AZURE_AUTH";
constexpr std::string_view kAnyAuthorisation =
    "set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_TOKEN; or "
    "MLPSTORAGE_AZURE_AUTH=managed (or workload, client-secret) for an identity, =anonymous for none";

/// Returns the variable's value, which must be one of `words` (else E102 with the legal ones), or `otherwise`.
Result<std::string> chosen_word(const Environment& environment, std::string_view variable, std::string_view otherwise,
                                std::initializer_list<std::string_view> words) {
  const std::string value = lower(environment.get(variable).value_or(std::string(otherwise)));
  if (std::find(words.begin(), words.end(), value) != words.end()) return value;
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is not known", variable, printable(value)), {},
              fmt::format("use one of: {}", join(words, ", ")));
}

std::optional<std::string> first_of(const Environment& environment, std::initializer_list<std::string_view> variables,
                                    std::string& variable) {
  for (const std::string_view name : variables) {
    if (auto value = environment.get(name)) {
      variable = name;
      return value;
    }
  }
  return std::nullopt;
}

// ---- where

/// Returns the connection string, if there is one, which must be of the location's account.
Result<std::optional<AzureConnectionString>> connection_string(const Environment& environment,
                                                               std::string_view account) {
  const auto text = environment.get(kConnectionString);
  if (!text) return std::nullopt;
  auto parsed = parse_azure_connection_string(*text);
  if (!parsed) return fail(std::move(parsed.error()));
  if (parsed->account != account) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("{} is of the account {}, the location of {}", kConnectionString, parsed->account, account),
                {}, "unset it, or give the location as az://" + parsed->account + "/container/prefix");
  }
  return std::optional(std::move(*parsed));
}

Status resolve_endpoints(Settings& settings, const std::optional<AzureConnectionString>& string,
                         const Environment& environment) {
  std::string variable = "default";
  auto text = first_of(environment, {"AZURE_STORAGE_ENDPOINT", "AZURE_BLOB_ENDPOINT_URL"}, variable);
  if (text && string) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("both {} and {} name an endpoint", variable, kConnectionString), {},
                "unset one of them; an endpoint can stand in the connection string as BlobEndpoint");
  }
  const bool complete = !text;
  if (string) {
    text = string->endpoint;
    variable = kConnectionString;
  } else if (!text) {
    text = fmt::format("https://{}.blob.core.windows.net", settings.account);
  }
  auto endpoints = parse_service_endpoints(*text, settings.account, variable, complete);
  if (!endpoints) return fail(std::move(endpoints.error()));
  settings.endpoints = std::move(*endpoints);
  settings.endpoint_source = variable;
  return {};
}

// ---- by what right

Status use_key(Settings& settings, const std::string& text, std::string_view source) {
  auto key = base64_decoded(text);
  if (!key || key->empty()) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("the account key from {} is no base64", source),
                "it must consist of letters, digits, '+' and '/', with '=' at its end, without blanks or line ends",
                "copy the key as the portal shows it (Access keys)");
  }
  settings.authorisation = Authorisation::kSharedKey;
  settings.authorisation_source = source;
  settings.key = std::move(*key);
  return {};
}

Status use_sas(Settings& settings, std::string_view text, std::string_view source) {
  auto sas = checked_sas(text, source, time(nullptr));
  if (!sas) return fail(std::move(sas.error()));
  settings.authorisation = Authorisation::kSas;
  settings.authorisation_source = source;
  settings.sas = std::move(*sas);
  return {};
}

Status use_token(Settings& settings, Result<std::shared_ptr<TokenSource>> token) {
  if (!token) return fail(std::move(token.error()));
  for (const storage::Endpoint& endpoint : settings.endpoints) {
    if (endpoint.tls) continue;
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("a token can't be sent to {}, where it would travel in clear", endpoint.url()), {},
                "use an https endpoint, or an account key");
  }
  settings.authorisation = Authorisation::kToken;
  settings.authorisation_source = (*token)->source();
  settings.token = std::move(*token);
  return {};
}

Status use_given_token(Settings& settings, const std::string& text) {
  const bool usable = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!usable) {
    return fail(ErrorCode::kConfigInvalid, "AZURE_STORAGE_TOKEN holds blanks, line ends or control characters", {},
                "set it to the token alone");
  }
  return use_token(settings, std::make_shared<TokenSource>("AZURE_STORAGE_TOKEN", text));
}

/// What the variables offer, and the words of MLPSTORAGE_AZURE_AUTH that choose among it.
struct Offers {
  std::string key_variable, sas_variable = "AZURE_STORAGE_SAS_TOKEN";
  std::optional<std::string> key, sas, token;
  bool workload = false, secret = false;
};

Offers offers_of(const Environment& environment, const std::optional<AzureConnectionString>& string) {
  Offers out;
  // All of a connection string counts, or nothing of it: a key of elsewhere could be another account's.
  if (string) {
    out.key_variable = out.sas_variable = kConnectionString;
    if (!string->key.empty()) out.key = string->key;
    if (!string->sas.empty()) out.sas = string->sas;
  } else {
    out.key = first_of(environment, {"AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"}, out.key_variable);
    out.sas = environment.get(out.sas_variable);
  }
  out.token = environment.get("AZURE_STORAGE_TOKEN");
  out.workload = environment.get("AZURE_FEDERATED_TOKEN_FILE").has_value();
  out.secret = environment.get("AZURE_CLIENT_SECRET").has_value();
  return out;
}

std::string automatic_word(const Settings& settings, const Offers& offers) {
  if (offers.key) return "key";
  if (offers.sas) return "sas";
  if (offers.token) return "token";
  if (offers.workload) return "workload";
  if (offers.secret) return "client-secret";
  if (settings.account == kAzureEmulatorAccount) return "emulator";
  return settings.endpoints.front().tls ? "managed" : "";
}

tl::unexpected<Error> nothing_offered(std::string_view what) {
  return fail(ErrorCode::kConfigMissing, fmt::format("no {} for az://", what), {}, std::string(kAnyAuthorisation));
}

Status resolve_authorisation(Settings& settings, const std::optional<AzureConnectionString>& string,
                             const Environment& environment) {
  auto word = chosen_word(environment, kAuth, "auto",
                          {"auto", "key", "sas", "token", "workload", "client-secret", "managed", "anonymous"});
  if (!word) return fail(std::move(word.error()));
  const Offers offers = offers_of(environment, string);
  if (*word == "auto") word = automatic_word(settings, offers);
  if (*word == "key") {
    return offers.key ? use_key(settings, *offers.key, offers.key_variable) : nothing_offered("account key");
  }
  if (*word == "sas") {
    return offers.sas ? use_sas(settings, *offers.sas, offers.sas_variable) : nothing_offered("SAS token");
  }
  if (*word == "token") {
    return offers.token ? use_given_token(settings, *offers.token) : nothing_offered("AZURE_STORAGE_TOKEN");
  }
  if (*word == "workload") return use_token(settings, workload_identity(environment));
  if (*word == "client-secret") return use_token(settings, client_secret(environment));
  if (*word == "managed") return use_token(settings, managed_identity(environment));
  if (*word == "emulator") return use_key(settings, std::string(kAzureEmulatorKey), "the emulator (published)");
  if (*word != "anonymous") return nothing_offered("authorisation");
  settings.authorisation_source = kAuth;
  return {};
}

Status resolve_transfer(Settings& settings, const Environment& environment) {
  // Emulators don't take CRC64 (Azurite), but compare MD5; they have the account in the path.
  const std::string_view usual = settings.endpoints.front().path.empty() ? "crc64" : "md5";
  auto checksum = chosen_word(environment, "MLPSTORAGE_AZURE_CHECKSUM", usual, {"crc64", "md5", "none"});
  if (!checksum) return fail(std::move(checksum.error()));
  settings.checksum = *checksum == "md5" ? Checksum::kMd5 : *checksum == "none" ? Checksum::kNone : Checksum::kCrc64;
  return object::read_transfer_variables(environment, settings);
}

/// Returns the value of a SAS token's field, decoded; nothing if there is none.
std::optional<std::string> sas_field(std::string_view sas, std::string_view name) {
  for (const std::string& part : split(sas, "&")) {
    if (part.starts_with(fmt::format("{}=", name))) return percent_decoded(part.substr(name.size() + 1));
  }
  return std::nullopt;
}

std::string shown_authorisation(const Settings& settings) {
  switch (settings.authorisation) {
    case Authorisation::kSharedKey:
      return fmt::format("account key of {}", settings.authorisation_source);
    case Authorisation::kSas:
      return fmt::format("SAS token of {}, rights {}, until {}", settings.authorisation_source,
                         printable(sas_field(settings.sas, "sp").value_or("of its policy"), 40),
                         printable(sas_field(settings.sas, "se").value_or("its policy's end"), 40));
    case Authorisation::kToken:
      return fmt::format("token of {}", settings.authorisation_source);
    case Authorisation::kAnonymous:
      return fmt::format("none ({}=anonymous)", kAuth);
  }
  return {};
}

}  // namespace

Result<std::vector<storage::Endpoint>> parse_service_endpoints(std::string_view text, std::string_view account,
                                                               std::string_view variable, bool complete) {
  auto endpoints = storage::parse_endpoints(split(text, ", \t\r\n"), variable);
  if (!endpoints) return endpoints;
  const std::string own_path = fmt::format("/{}", account);
  const auto names_account = [&](const storage::Endpoint& endpoint) {
    return endpoint.host.starts_with(fmt::format("{}.", account));
  };
  const bool in_host = complete || names_account(endpoints->front());
  for (storage::Endpoint& endpoint : *endpoints) {
    if (!endpoint.path.empty() && endpoint.path != own_path) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("{}: the address's path {:?} is not the account {} of the location", variable,
                              endpoint.path.substr(0, 80), account),
                  {}, fmt::format("write it as http://host:port or http://host:port/{}", account));
    }
    if (!complete && names_account(endpoint) != in_host) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("{} mixes addresses with and without the account in the host: {} "
                              "and {}",
                              variable, endpoints->front().url(), endpoint.url()),
                  {}, "use one kind for all");
    }
    if (!in_host) endpoint.path = own_path;
  }
  return endpoints;
}

Result<std::string> checked_sas(std::string_view text, std::string_view variable, int64_t now) {
  if (text.starts_with('?')) text.remove_prefix(1);
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("the SAS token of {} {}", variable, why), {},
                "copy the token as the portal shows it: sv=...&sig=..., without the address in front of it");
  };
  const bool one_word =
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#' && c != '?'; });
  if (!one_word) return refuse("holds blanks, line ends, '?', '#' or control characters");
  if (sas_field(text, "sig").value_or("").empty()) return refuse("has no signature (sig=)");
  const auto end = sas_field(text, "se");
  const auto ends = end ? parse_iso_time(*end) : std::nullopt;
  if (ends && *ends <= now) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("the SAS token of {} ended at {}", variable, printable(*end, 40)), {}, "make a new one");
  }
  return std::string(text);
}

Result<Settings> resolve_settings(const Location& root, const Environment& environment) {
  Settings settings;
  const auto slash = root.bucket().find('/');
  settings.account = root.bucket().substr(0, slash);
  settings.container = root.bucket().substr(slash + 1);
  const auto string = connection_string(environment, settings.account);
  if (!string) return fail(string.error());
  if (auto status = resolve_endpoints(settings, *string, environment); !status) return fail(std::move(status.error()));
  if (auto status = resolve_authorisation(settings, *string, environment); !status) {
    return fail(std::move(status.error()));
  }
  if (auto status = resolve_transfer(settings, environment); !status) return fail(std::move(status.error()));
  return settings;
}

storage::SettingList describe(const Settings& settings) {
  const bool tls = settings.endpoints.front().tls;
  const http::EngineSettings& engine = settings.engine;
  std::string trust = engine.ca_file.empty() ? "system CA store" : "CA file " + engine.ca_file;
  if (!engine.certificate_file.empty()) trust += ", client certificate " + engine.certificate_file;
  constexpr std::array<std::string_view, 3> kChecksums = {"crc64", "md5", "none"};
  return {
      {"endpoint", storage::shown_endpoints(settings.endpoints)},
      {"endpoint source", settings.endpoint_source},
      {"account", settings.account},
      {"container", settings.container},
      {"authorised by", shown_authorisation(settings)},
      {"checksum", std::string(kChecksums.at(static_cast<size_t>(settings.checksum)))},
      {"max attempts", std::to_string(settings.retry.max_attempts)},
      {"tls", tls ? "verified, " + trust : "off (http)"},
      {"proxy", engine.proxy.empty() ? "none" : engine.proxy},
      {"http library", http::library_version()},
  };
}

}  // namespace mlps::azure
