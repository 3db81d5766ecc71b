#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "location/location.hpp"
#include "storage/endpoint_text.hpp"
#include "storage/s3/profiles.hpp"

namespace mlps::s3 {

using storage::Endpoint;

/// The name of the source when no endpoint is set and AWS, or Google, is asked.
inline constexpr std::string_view kDefaultEndpoint = "default";

/// The endpoints of a store, and where they were set.
struct EndpointChoice {
  std::vector<Endpoint> endpoints;
  std::string source;  ///< the variable or the profile that named them, or kDefaultEndpoint
  /// Other places that name other endpoints, and kinds of endpoint of AWS that are asked for beside one; for a warning.
  std::vector<std::string> outranked;
};

/// Returns the endpoints of `root` (s3 or gs); docs/object-storage.md has the order of their places. `region` decides
/// the name of AWS's own endpoint.
Result<EndpointChoice> choose_endpoints(const Location& root, const Environment& environment, const Profiles& profiles,
                                        const std::string& region);

/// Returns the URL of the token service: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, those of the profile, else the one of
/// AWS in `region`, or the one of all regions if that is empty.
Result<std::string> token_service(const Environment& environment, const Profiles& profiles, const std::string& region);

/// Returns the domain of AWS for a region, which differs in China, Europe's own and the secret regions:
/// "amazonaws.com.cn" for "cn-north-1".
std::string_view aws_domain(std::string_view region);

/// Returns the value of a variable of the words true and false, else of the profile's key, else false. E102 for
/// another.
Result<bool> switched_on(const Environment& environment, const Profiles& profiles, const char* variable,
                         const char* key);

}  // namespace mlps::s3
