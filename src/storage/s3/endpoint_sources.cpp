#include "storage/s3/endpoint_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/read_file.hpp"
#include "base/text.hpp"

namespace mlps::s3 {
namespace {

/// Texts of endpoints, and what named them.
struct EndpointTexts {
  std::vector<std::string> texts;
  std::string source;
};
using Place = Result<std::optional<EndpointTexts>>;

Result<std::vector<std::string>> read_endpoint_file(const std::string& path) {
  const Result<std::string> content = read_file(path, "S3_ENDPOINT_FILE");
  if (!content) return fail(content.error());
  std::vector<std::string> out;
  for (const std::string& line : split(*content, "\n")) {
    const std::string_view text = trimmed(line);
    if (!text.empty() && text.front() != '#') out.emplace_back(text);
  }
  return out;
}

/// What is asked in turn for endpoints.
class Places {
 public:
  Places(const Environment& environment, const Profiles& profiles) : environment_(environment), profiles_(profiles) {}

  Place list() const {
    const auto text = environment_.get("S3_ENDPOINT_URIS");
    if (!text) return std::nullopt;
    return EndpointTexts{split(*text, ", \t\r\n"), "S3_ENDPOINT_URIS"};
  }

  Place pattern() const {
    const auto text = environment_.get("S3_ENDPOINT_TEMPLATE");
    if (!text) return std::nullopt;
    auto texts = storage::expand_template(trimmed(*text), "S3_ENDPOINT_TEMPLATE");
    if (!texts) return fail(std::move(texts.error()));
    return EndpointTexts{std::move(*texts), "S3_ENDPOINT_TEMPLATE"};
  }

  Place file() const {
    const auto path = environment_.get("S3_ENDPOINT_FILE");
    if (!path) return std::nullopt;
    auto texts = read_endpoint_file(expanded_path(*path, environment_));
    if (!texts) return fail(std::move(texts.error()));
    return EndpointTexts{std::move(*texts), "S3_ENDPOINT_FILE"};
  }

  /// The variables of the AWS tools, then the profile: what is said of the service before what is said of all.
  Place aws(const std::string& service, const char* own_variable) const {
    if (ignored()) return std::nullopt;
    for (const char* variable : {own_variable, "AWS_ENDPOINT_URL"}) {
      if (const auto text = environment_.get(variable)) {
        return EndpointTexts{{std::string(trimmed(*text))}, variable};
      }
    }
    auto value = profiles_.find_service(service, "endpoint_url");
    if (!value) value = profiles_.find("endpoint_url");
    if (!value) return std::nullopt;
    return EndpointTexts{{value->value}, std::move(value->source)};
  }

  Place bare() const { return one("S3_ENDPOINT"); }
  Place google() const { return one("GCS_ENDPOINT_URL"); }

  Place emulator() const {
    auto place = one("STORAGE_EMULATOR_HOST");
    if (place && *place && (*place)->texts.front().find("://") == std::string::npos) {
      (*place)->texts.front().insert(0, "http://");  // by custom a bare host:port
    }
    return place;
  }

 private:
  Place one(const char* variable) const {
    const auto text = environment_.get(variable);
    if (!text) return std::nullopt;
    return EndpointTexts{{std::string(trimmed(*text))}, variable};
  }
  bool ignored() const {
    const auto value = environment_.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    return value && lower(*value) == "true";
  }

  const Environment& environment_;
  const Profiles& profiles_;
};

/// Asks all places in turn. The first that names something counts; the others are outranked if they name other servers.
Result<EndpointChoice> ask_in_turn(std::vector<Place> places) {
  EndpointChoice choice;
  for (Place& place : places) {
    if (!place && choice.endpoints.empty()) return fail(std::move(place.error()));
    if (!place || !*place) continue;
    auto endpoints = storage::parse_endpoints((*place)->texts, (*place)->source);
    if (choice.endpoints.empty()) {
      if (!endpoints) return fail(std::move(endpoints.error()));
      choice.endpoints = std::move(*endpoints);
      choice.source = std::move((*place)->source);
    } else if (!endpoints || *endpoints != choice.endpoints) {
      choice.outranked.push_back((*place)->source);
    }
  }
  return choice;
}

struct Partition {
  std::string_view region_begins;
  std::string_view domain;
};
constexpr Partition kPartitions[] = {
    {"cn-", "amazonaws.com.cn"}, {"us-iso-", "c2s.ic.gov"},      {"us-isob-", "sc2s.sgov.gov"},
    {"eusc-", "amazonaws.eu"},   {"us-isof-", "csp.hci.ic.gov"}, {"eu-isoe-", "cloud.adc-e.uk"},
};

/// Returns AWS's own endpoint of a region: by IPv6 as well, and with validated cryptography, where that is asked for.
Result<std::string> aws_endpoint(const Environment& environment, const Profiles& profiles, const std::string& region) {
  const auto dual = switched_on(environment, profiles, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  if (!dual) return fail(dual.error());
  const auto fips = switched_on(environment, profiles, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  if (!fips) return fail(fips.error());
  return fmt::format("https://s3{}{}.{}.{}", *fips ? "-fips" : "", *dual ? ".dualstack" : "", region,
                     aws_domain(region));
}

}  // namespace

std::string_view aws_domain(std::string_view region) {
  for (const Partition& partition : kPartitions) {
    if (region.starts_with(partition.region_begins)) return partition.domain;
  }
  return "amazonaws.com";
}

Result<bool> switched_on(const Environment& environment, const Profiles& profiles, const char* variable,
                         const char* key) {
  const auto set = environment.get(variable);
  const auto value = set ? std::optional(ProfileValue{*set, variable}) : profiles.find(key);
  const std::string word = value ? lower(trimmed(value->value)) : "false";
  if (word == "true" || word == "false") return word == "true";
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("{}: {} is \"{}\"", value->source, set ? "the value" : key, word.substr(0, 40)), {},
              "Use one of: true, false.");
}

Result<EndpointChoice> choose_endpoints(const Location& root, const Environment& environment, const Profiles& profiles,
                                        const std::string& region) {
  const Places from(environment, profiles);
  const bool gs = root.scheme() == Scheme::kGs;
  std::vector<Place> places;
  if (gs) {
    places = {from.google(), from.emulator()};
  } else {
    places = {from.list(), from.pattern(), from.file(), from.aws("s3", "AWS_ENDPOINT_URL_S3"), from.bare()};
  }
  auto choice = ask_in_turn(std::move(places));
  if (!choice) return choice;
  if (choice->endpoints.empty()) {
    const Result<std::string> text =
        gs ? Result<std::string>("https://storage.googleapis.com") : aws_endpoint(environment, profiles, region);
    if (!text) return fail(text.error());
    auto endpoints = storage::parse_endpoints({*text}, kDefaultEndpoint);
    if (!endpoints) return fail(std::move(endpoints.error()));
    choice->endpoints = std::move(*endpoints);
    choice->source = kDefaultEndpoint;
    return choice;
  }
  for (const char* variable : {"AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT"}) {
    if (!gs && lower(environment.get(variable).value_or("")) == "true") choice->outranked.emplace_back(variable);
  }
  return choice;
}

Result<std::string> token_service(const Environment& environment, const Profiles& profiles, const std::string& region) {
  const Place place = Places(environment, profiles).aws("sts", "AWS_ENDPOINT_URL_STS");
  if (!place) return fail(place.error());
  if (*place) {
    const auto endpoint = storage::parse_endpoint((*place)->texts.front(), (*place)->source);
    if (!endpoint) return fail(endpoint.error());
    return endpoint->url();
  }
  if (region.empty()) return "https://sts.amazonaws.com";
  return fmt::format("https://sts.{}.{}", region, aws_domain(region));
}

}  // namespace mlps::s3
