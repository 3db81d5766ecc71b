#include "storage/s3/endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::s3 {
namespace {

constexpr char kEndpointAdvice[] = "Write it as http://host:port or https://host:port.";

bool good_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 3 && host.ends_with(']') &&
           host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdef:.") == std::string_view::npos;
  }
  return !host.empty() && host.size() <= 253 &&
         host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") == std::string_view::npos;
}

/// The first "{N...M}" of a text.
struct Pattern {
  size_t begin = 0;
  size_t end = 0;  // past the '}'
  uint64_t first = 0;
  uint64_t last = 0;
};

Result<std::optional<Pattern>> first_pattern(std::string_view text, std::string_view variable) {
  const auto open = text.find('{');
  if (open == std::string_view::npos) return std::nullopt;
  const auto close = text.find('}', open);
  const std::string_view inside =
      close == std::string_view::npos ? std::string_view{} : text.substr(open + 1, close - open - 1);
  const auto dots = inside.find("...");
  const auto first = dots == std::string_view::npos ? std::nullopt : parse_number<uint64_t>(inside.substr(0, dots));
  const auto last = dots == std::string_view::npos ? std::nullopt : parse_number<uint64_t>(inside.substr(dots + 3));
  if (!first || !last) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{}: \"{}\" has no pattern of the form {{N...M}}", variable, text), {},
                "Write three dots between two whole numbers, as in http://node{1...8}:9000.");
  }
  if (*first > *last) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {{{}...{}}} counts down", variable, *first, *last), {},
                "Put the smaller number first.");
  }
  if (*last - *first >= kMaxEndpoints) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{}: {{{}...{}}} makes more than {} endpoints", variable, *first, *last, kMaxEndpoints));
  }
  return Pattern{open, close + 1, *first, *last};
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text, std::string_view variable) {
  // A password must not get into a log through an error.
  if (text.find('@') != std::string_view::npos) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: an endpoint can't carry user and password", variable), {},
                "Put the keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.");
  }
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: endpoint \"{}\" {}", variable, printable(text), why), {},
                kEndpointAdvice);
  };
  const std::string whole = lower(text);
  std::string_view rest = whole;
  Endpoint endpoint;
  if (rest.starts_with("https://")) {
    endpoint.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return refuse("doesn't begin with http:// or https://");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) return refuse("has a path, query or fragment");
  endpoint.port = Endpoint::default_port(endpoint.tls);
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && !rest.ends_with(']')) {
    const auto port = parse_number<uint64_t>(rest.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return refuse("has no port between 1 and 65535 after the colon");
    endpoint.port = static_cast<uint16_t>(*port);
    rest = rest.substr(0, colon);
  }
  if (!good_host(rest)) return refuse("has no valid host name");
  endpoint.host = rest;
  return endpoint;
}

Result<std::vector<std::string>> expand_template(std::string_view text, std::string_view variable) {
  auto pattern = first_pattern(text, variable);
  if (!pattern) return fail(std::move(pattern.error()));
  if (!pattern->has_value()) return std::vector<std::string>{std::string(text)};
  const Pattern& p = **pattern;
  auto tails = expand_template(text.substr(p.end), variable);
  if (!tails) return tails;
  std::vector<std::string> out;
  for (uint64_t n = p.first; n <= p.last; ++n) {
    for (const std::string& tail : *tails) {
      if (out.size() == kMaxEndpoints) {
        return fail(ErrorCode::kConfigInvalid,
                    fmt::format("{}: \"{}\" makes more than {} endpoints", variable, text, kMaxEndpoints));
      }
      out.push_back(fmt::format("{}{}{}", text.substr(0, p.begin), n, tail));
    }
  }
  return out;
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
    if (out.back().tls != out.front().tls) {
      return fail(
          ErrorCode::kConfigInvalid,
          fmt::format("{} mixes http ({}) and https ({})", variable, out[out.front().tls ? out.size() - 1 : 0].url(),
                      out[out.front().tls ? 0 : out.size() - 1].url()),
          {}, "Use one scheme for all endpoints.");
    }
  }
  return out;
}

}  // namespace mlps::s3
