#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace mlps::s3 {

inline constexpr size_t kMaxEndpoints = 32;

/// The base address of a server: scheme, host and port, nothing else.
struct Endpoint {
  bool tls = false;
  std::string host;   ///< lower case; IPv6 in brackets
  uint16_t port = 0;  ///< the scheme's own when the text had none

  /// "host" or "host:port": the port only where it isn't the scheme's own, as a Host header has it.
  std::string authority() const;
  std::string url() const;       ///< "http://host:port"
  bool host_is_address() const;  ///< an IPv4 or IPv6 address, so no name can be put in front of it
  bool operator==(const Endpoint&) const = default;
};

/// Parses "http://host[:port][/]". `variable` names the origin in the error (E102). Refused: another or no scheme,
/// user:password, a path, query or fragment, a bad host or port. The text of a password is not repeated.
Result<Endpoint> parse_endpoint(std::string_view text, std::string_view variable);

/// Entries separated by commas or blanks.
std::vector<std::string> split_list(std::string_view text);

/// Expands every "{N...M}" (inclusive, decimal, no padding kept), the last one varying fastest. E102 for N > M, a
/// malformed pattern or more than kMaxEndpoints results.
Result<std::vector<std::string>> expand_template(std::string_view text, std::string_view variable);

/// Parses a list; E102 when it is empty, longer than kMaxEndpoints or mixes http and https.
Result<std::vector<Endpoint>> parse_endpoints(const std::vector<std::string>& texts, std::string_view variable);

}  // namespace mlps::s3
