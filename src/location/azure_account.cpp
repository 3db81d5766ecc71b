#include "location/azure_account.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.hpp"

namespace mlps {
namespace {

constexpr std::string_view kVariable = "AZURE_STORAGE_CONNECTION_STRING";
// In lower case. Those of the second list concern other services.
constexpr std::array<std::string_view, 8> kSettings = {"accountname",
                                                       "accountkey",
                                                       "sharedaccesssignature",
                                                       "blobendpoint",
                                                       "defaultendpointsprotocol",
                                                       "endpointsuffix",
                                                       "usedevelopmentstorage",
                                                       "developmentstorageproxyuri"};
constexpr std::array<std::string_view, 7> kOtherSettings = {
    "blobsecondaryendpoint",  "fileendpoint",  "filesecondaryendpoint", "queueendpoint",
    "queuesecondaryendpoint", "tableendpoint", "tablesecondaryendpoint"};

using SettingMap = std::map<std::string, std::string, std::less<>>;

template <class List>
bool has(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

tl::unexpected<Error> refuse_string(std::string_view why) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {}", kVariable, why), {},
              "copy it as the portal shows it (Access keys, Connection string), in quotes: it holds semicolons");
}

// Names only are repeated in errors, and only those that can't be a piece of a value.
std::string shown_name(std::string_view name) {
  const bool plain = name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                     });
  return plain ? fmt::format("\"{}\"", name) : std::string("one");
}

Result<SettingMap> settings_of(std::string_view text) {
  SettingMap settings;
  for (const std::string& piece : split(text, ";")) {
    const std::string_view part = trimmed(piece);
    if (part.empty()) continue;
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) return refuse_string("a part has no '='");
    const std::string name = lower(trimmed(part.substr(0, equals)));
    if (has(kOtherSettings, name)) continue;
    if (!has(kSettings, name)) {
      return refuse_string(fmt::format("{} of its names is not known", shown_name(part.substr(0, equals))));
    }
    if (!settings.emplace(name, trimmed(part.substr(equals + 1))).second) {
      return refuse_string(fmt::format("{} stands there twice", shown_name(part.substr(0, equals))));
    }
  }
  return settings;
}

std::string value_of(const SettingMap& settings, std::string_view name, std::string_view otherwise = {}) {
  const auto found = settings.find(name);
  return found == settings.end() || found->second.empty() ? std::string(otherwise) : found->second;
}

AzureConnectionString emulator(const SettingMap& settings) {
  std::string base = value_of(settings, "developmentstorageproxyuri", "http://127.0.0.1");
  while (base.ends_with('/')) base.pop_back();
  return {std::string(kAzureEmulatorAccount),
          std::string(kAzureEmulatorKey),
          {},
          fmt::format("{}:10000/{}", base, kAzureEmulatorAccount)};
}

// Returns the account that an endpoint belongs to: its path where it has one, else the host's first label.
std::string account_of_endpoint(std::string_view endpoint) {
  const auto begin = endpoint.find("://");
  if (begin == std::string_view::npos) return {};
  std::string_view rest = endpoint.substr(begin + 3);
  const auto slash = rest.find('/');
  const std::string_view path = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  if (!path.empty()) return std::string(path.substr(0, path.find('/')));
  const auto dot = rest.find('.');
  return rest.find(".blob.") == dot && dot != std::string_view::npos ? std::string(rest.substr(0, dot)) : std::string();
}

}  // namespace

Result<AzureConnectionString> parse_azure_connection_string(std::string_view text) {
  auto settings = settings_of(text);
  if (!settings) return fail(std::move(settings.error()));
  if (settings->contains("usedevelopmentstorage")) {
    if (lower(settings->at("usedevelopmentstorage")) != "true") {
      return refuse_string("UseDevelopmentStorage can only be true");
    }
    return emulator(*settings);
  }
  AzureConnectionString out;
  out.account = value_of(*settings, "accountname");
  out.key = value_of(*settings, "accountkey");
  out.sas = value_of(*settings, "sharedaccesssignature");
  if (out.sas.starts_with('?')) out.sas.erase(0, 1);
  out.endpoint = value_of(*settings, "blobendpoint");
  if (out.account.empty()) out.account = account_of_endpoint(out.endpoint);
  if (out.account.empty()) return refuse_string("it names no account (AccountName)");
  if (!out.key.empty() && !out.sas.empty()) {
    return refuse_string("it holds both AccountKey and SharedAccessSignature; only one can count");
  }
  if (!out.endpoint.empty()) return out;
  const std::string protocol = lower(value_of(*settings, "defaultendpointsprotocol", "https"));
  if (protocol != "https" && protocol != "http") {
    return refuse_string("DefaultEndpointsProtocol can only be https or http");
  }
  out.endpoint =
      fmt::format("{}://{}.blob.{}", protocol, out.account, value_of(*settings, "endpointsuffix", "core.windows.net"));
  return out;
}

Result<std::optional<std::string>> azure_account(const Environment& environment) {
  std::optional<std::string> account;
  std::string_view origin;
  const auto take = [&](std::string_view variable, const std::string& name) -> Status {
    if (account && *account != name) {
      return fail(ErrorCode::kConfigIncompatible,
                  fmt::format("{} and {} name two storage accounts, {} and {}", origin, variable, *account, name), {},
                  "unset one of them");
    }
    account = name;
    origin = variable;
    return {};
  };
  for (const std::string_view variable : {"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"}) {
    if (const auto name = environment.get(variable)) {
      if (auto taken = take(variable, *name); !taken) return fail(std::move(taken.error()));
    }
  }
  if (const auto text = environment.get(kVariable)) {
    auto parsed = parse_azure_connection_string(*text);
    if (!parsed) return fail(std::move(parsed.error()));
    if (auto taken = take(kVariable, parsed->account); !taken) return fail(std::move(taken.error()));
  }
  return account;
}

}  // namespace mlps
