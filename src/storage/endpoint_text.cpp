#include "storage/endpoint_text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"

namespace mlps::storage {
namespace {

constexpr char kEndpointAdvice[] = "Write it as http://host:port or https://host:port.";
constexpr size_t kMostShown = 300;
constexpr size_t kShownInFull = 16;
constexpr size_t kMostDigits = 20;
constexpr size_t kLongestTemplate = 4096;

bool is_address(int family, const std::string& text) {
  if (text.find_first_not_of("0123456789abcdef:.") != std::string::npos) return false;  // a zero byte would end it
  std::array<unsigned char, sizeof(in6_addr)> ignored;
  return inet_pton(family, text.c_str(), ignored.data()) == 1;
}

/// Returns why a text in lower case is no host; nothing if it is one.
std::optional<std::string_view> host_fault(std::string_view host) {
  if (host.empty()) return "has no host name";
  if (host.starts_with('[')) {
    const bool good =
        host.size() > 3 && host.ends_with(']') && is_address(AF_INET6, std::string(host.substr(1, host.size() - 2)));
    return good ? std::nullopt : std::optional<std::string_view>("has no IPv6 address between its brackets");
  }
  if (host.find_first_not_of("0123456789.") == std::string_view::npos) {
    return is_address(AF_INET, std::string(host)) ? std::nullopt
                                                  : std::optional<std::string_view>("has no valid IPv4 address");
  }
  const bool good = host.size() <= 253 && host.front() != '.' && host.find("..") == std::string_view::npos &&
                    host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") == std::string_view::npos;
  return good ? std::nullopt : std::optional<std::string_view>("has no valid host name");
}

/// Returns why a path, which begins with '/', can't stand in front of buckets; nothing if it can.
std::optional<std::string_view> path_fault(std::string_view path) {
  constexpr std::string_view kLegal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  if (path.find_first_not_of(kLegal) != std::string_view::npos) {
    return "has a path with other characters than letters, digits, '-', '.', '_', '~' and '/'";
  }
  for (const std::string_view bad : {"//", "/./", "/../"}) {
    if ((std::string(path) + "/").find(bad) != std::string::npos) return "has a path with \"//\", \".\" or \"..\"";
  }
  return std::nullopt;
}

/// Takes the port off the end of "host:port", if there is one. Returns why it can't be used; nothing if it can.
std::optional<std::string_view> take_port(std::string_view& host, Endpoint& endpoint) {
  endpoint.port = Endpoint::default_port(endpoint.tls);
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return std::nullopt;
  if (host.find(':') != colon && !host.starts_with('[')) {
    return "has several colons: an IPv6 address stands in brackets, as in http://[::1]:9000";
  }
  const auto port = parse_number<uint64_t>(host.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return "has no port between 1 and 65535 after the colon";
  endpoint.port = static_cast<uint16_t>(*port);
  host = host.substr(0, colon);
  return std::nullopt;
}

/// The first "{N...M}" or "{N..M}" of a text.
struct Pattern {
  size_t begin = 0;
  size_t end = 0;  // past the '}'
  uint64_t first = 0;
  uint64_t last = 0;
  size_t digits = 0;  // at least, of every number
};

bool is_padded(std::string_view number) {
  return number.size() > 1 && number.front() == '0';
}

Result<std::optional<Pattern>> first_pattern(std::string_view text, std::string_view variable) {
  const auto open = text.find('{');
  if (open == std::string_view::npos) return std::nullopt;
  const auto close = text.find('}', open);
  const std::string_view inside =
      close == std::string_view::npos ? std::string_view{} : text.substr(open + 1, close - open - 1);
  // As warp and MinIO write it, or as shells do.
  const std::string_view between = inside.find("...") == std::string_view::npos ? ".." : "...";
  const auto dots = inside.find(between);
  const std::string_view from = inside.substr(0, dots == std::string_view::npos ? 0 : dots);
  const std::string_view to =
      dots == std::string_view::npos ? std::string_view() : inside.substr(dots + between.size());
  const auto first = parse_number<uint64_t>(from), last = parse_number<uint64_t>(to);
  if (!first || !last || std::max(from.size(), to.size()) > kMostDigits) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{}: {:?} has no pattern of the form {{N...M}}", variable, text.substr(0, kMostShown)), {},
                "Write three dots, or two, between two whole numbers, as in http://node{1...8}:9000.");
  }
  if (*first > *last) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {{{}...{}}} counts down", variable, *first, *last), {},
                "Put the smaller number first.");
  }
  if (*last - *first >= kMaxEndpoints) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{}: {{{}...{}}} makes more than {} endpoints", variable, *first, *last, kMaxEndpoints));
  }
  const size_t digits = is_padded(from) || is_padded(to) ? std::max(from.size(), to.size()) : 0;
  return Pattern{open, close + 1, *first, *last, digits};
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text, std::string_view variable) {
  // A password must not get into a log through an error.
  if (text.find('@') != std::string_view::npos) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: an endpoint can't carry user and password", variable), {},
                "Put the keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.");
  }
  const auto refuse = [&](std::string_view why, std::string advice = kEndpointAdvice) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{}: endpoint {:?} {}", variable, text.substr(0, kMostShown), why), {}, std::move(advice));
  };
  const std::string whole = lower(text);
  Endpoint endpoint;
  endpoint.tls = whole.starts_with("https://");
  if (!endpoint.tls && !whole.starts_with("http://")) return refuse("doesn't begin with http:// or https://");
  if (whole.find("://", 8) != std::string::npos || whole.find_first_of(", ") != std::string::npos) {
    return refuse("is more than one", "Several endpoints go into S3_ENDPOINT_URIS.");
  }
  if (whole.find_first_of("?#") != std::string::npos) return refuse("has a query or fragment");
  const size_t begin = endpoint.tls ? 8 : 7;
  const size_t slash = std::min(whole.find('/', begin), whole.size());
  endpoint.path = text.substr(slash);
  if (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  if (const auto fault = path_fault(endpoint.path)) return refuse(*fault);
  std::string_view host = std::string_view(whole).substr(begin, slash - begin);
  if (const auto fault = take_port(host, endpoint)) return refuse(*fault);
  if (const auto fault = host_fault(host)) return refuse(*fault);
  endpoint.host = host;
  return endpoint;
}

Result<std::vector<std::string>> expand_template(std::string_view text, std::string_view variable) {
  if (text.size() > kLongestTemplate) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} has more than {} characters", variable, kLongestTemplate));
  }
  std::vector<std::string> out = {""};
  for (std::string_view rest = text;;) {
    const auto pattern = first_pattern(rest, variable);
    if (!pattern) return fail(pattern.error());
    if (!pattern->has_value()) {
      for (std::string& one : out) one += rest;
      return out;
    }
    const Pattern& p = **pattern;
    std::vector<std::string> longer;
    if (out.size() * (p.last - p.first + 1) > kMaxEndpoints) {
      return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {:?} makes more than {} endpoints", variable,
                                                         text.substr(0, kMostShown), kMaxEndpoints));
    }
    for (const std::string& one : out) {
      for (uint64_t n = p.first; n <= p.last; ++n) {
        longer.push_back(fmt::format("{}{}{:0{}}", one, rest.substr(0, p.begin), n, p.digits));
      }
    }
    out = std::move(longer);
    rest.remove_prefix(p.end);
  }
}

Result<std::vector<Endpoint>> parse_endpoints(const std::vector<std::string>& texts, std::string_view variable) {
  if (texts.empty())
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} names no endpoint", variable), {}, kEndpointAdvice);
  if (texts.size() > kMaxEndpoints) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{} names {} endpoints; the most is {}", variable, texts.size(), kMaxEndpoints));
  }
  std::vector<Endpoint> out;
  for (const std::string& text : texts) {
    auto endpoint = parse_endpoint(text, variable);
    if (!endpoint) return fail(std::move(endpoint.error()));
    out.push_back(std::move(*endpoint));
    const Endpoint &first = out.front(), &last = out.back();
    if (last.tls != first.tls || last.path != first.path) {
      const bool schemes = last.tls != first.tls;
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("{} mixes {}: {} and {}", variable, schemes ? "http and https" : "paths", first.url(),
                              last.url()),
                  {}, fmt::format("Use one {} for all endpoints.", schemes ? "scheme" : "path"));
    }
  }
  return out;
}

std::string shown_endpoints(const std::vector<Endpoint>& endpoints) {
  if (endpoints.size() > kShownInFull) {
    return fmt::format("{}, ..., {} ({} endpoints)", endpoints.front().url(), endpoints.back().url(), endpoints.size());
  }
  std::vector<std::string> urls;
  for (const Endpoint& endpoint : endpoints) urls.push_back(endpoint.url());
  return join(urls, ", ");
}

}  // namespace mlps::storage
