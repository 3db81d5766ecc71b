#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "storage/s3/credentials.hpp"
#include "storage/s3/endpoint_sources.hpp"

/// Directory buckets of S3 (Express One Zone): requests are signed with keys of a session with the bucket.
namespace mlps::s3 {

/// The name of the service that signatures for directory buckets name.
inline constexpr std::string_view kExpressService = "s3express";

/// Returns whether a bucket's name is that of a directory bucket: "base--zone--x-s3".
bool is_directory_bucket(std::string_view bucket);

/// Returns AWS's own endpoint of a directory bucket: that of its zone. E102 for a name without one.
Result<std::string> express_endpoint(std::string_view bucket, std::string_view region);

/// Returns a source of keys of sessions with a bucket, which `own` keys open (CreateSession at `url`, the bucket's
/// address, with the path `path`) and which are renewed before they end.
std::shared_ptr<KeySource> session_keys(std::shared_ptr<KeySource> own, std::string url, std::string path,
                                        std::string region, http::Way way);

}  // namespace mlps::s3
