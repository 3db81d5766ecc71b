#pragma once

#include <optional>

#include "base/error.hpp"
#include "storage/http/exchange.hpp"
#include "storage/s3/s3_object.hpp"

namespace mlps::s3 {

/// Compares what HEAD says about an object just written with what was sent: its size and, where both sides have one,
/// its CRC32C (of a whole object, or composite). E606 names both values, E605 an answer without a size.
std::optional<Error> check_stored(const S3Object& object, const http::Exchange& head, bool checksums_known);

/// Returns whether HEAD shows the outcome of this very upload although no answer to its completion arrived: the size is
/// right, and its ETag is the MD5 over the parts' MD5s, or it was last modified no earlier than the upload was created
/// (an older object of the same name and size must not pass).
bool is_this_upload(const S3Object& object, const http::Exchange& head);

}  // namespace mlps::s3
