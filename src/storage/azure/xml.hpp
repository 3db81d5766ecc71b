#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "storage/object/dialect.hpp"

namespace mlps::azure {

/// Reads the body of an error, <Error> with Code, Message and, for refused authorisation, AuthenticationErrorDetail.
/// Never fails: what can't be read stays empty. Without the lines that repeat request id and time.
object::ServerError parse_error_body(std::string_view body);

/// Reads a page of List Blobs. Directories of accounts with a hierarchical namespace are left out. E605 for text that
/// is no such list, a blob without a usable name or size. With `unfinished` only those that may have uncommitted blocks
/// alone: without content, and without the MD5 that an empty Put Blob has.
Result<object::ObjectsPage> parse_blob_list(std::string_view body, bool unfinished = false);

/// Returns the body of Put Block List: the blocks of these ids (base64), in this order, each as it was put last.
std::string block_list_body(std::span<const object::StoredPart> parts);

}  // namespace mlps::azure
