#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "storage/endpoint.hpp"

namespace mlps::s3 {

inline constexpr size_t kMaxEndpoints = 32;

using storage::Endpoint;

/// Parses "http://host[:port][/]". `variable` names the origin in the error (E102). Refused: another or no scheme,
/// user:password, a path, query or fragment, a bad host or port. The text of a password is not repeated.
Result<Endpoint> parse_endpoint(std::string_view text, std::string_view variable);

/// Expands every "{N...M}" (inclusive, decimal, no padding kept), the last one varying fastest. E102 for N > M, a
/// malformed pattern or more than kMaxEndpoints results.
Result<std::vector<std::string>> expand_template(std::string_view text, std::string_view variable);

/// Parses a list; E102 when it is empty, longer than kMaxEndpoints or mixes http and https.
Result<std::vector<Endpoint>> parse_endpoints(const std::vector<std::string>& texts, std::string_view variable);

}  // namespace mlps::s3
