#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "storage/endpoint.hpp"

/// Endpoints as people write them. `variable` names the setting in errors, which are E102 and repeat no password.
namespace mlps::storage {

/// The most endpoints of one store.
inline constexpr size_t kMaxEndpoints = 1024;

/// Parses "http://host[:port][/path]". Refused: another or no scheme, user and password, a query or fragment, a host
/// that is neither a name nor an address, a bad port, a path with "//", "." or "..".
Result<Endpoint> parse_endpoint(std::string_view text, std::string_view variable);

/// Expands every "{N...M}" or "{N..M}" (inclusive, decimal), the last one varying fastest. Where a number has zeros in
/// front, all get as many digits as the longer one has. Refused: N > M, a malformed pattern, more than kMaxEndpoints
/// results.
Result<std::vector<std::string>> expand_template(std::string_view text, std::string_view variable);

/// Parses a list. Refused: an empty one, one longer than kMaxEndpoints, and one that mixes http and https, or paths.
Result<std::vector<Endpoint>> parse_endpoints(const std::vector<std::string>& texts, std::string_view variable);

/// Returns a list of endpoints for people: all of up to 16, else the first, the last and how many there are.
std::string shown_endpoints(const std::vector<Endpoint>& endpoints);

}  // namespace mlps::storage
