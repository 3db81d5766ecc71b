#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "storage/object/dialect.hpp"

namespace mlps::s3 {

/// The root element of an answer, by kind. Namespaces and unknown elements are ignored. All parsers fail with E605 on
/// text that is no XML, holds a document type, an unknown entity or a reference to an impossible character.
struct CompleteAnswer {
  bool is_error = false;  ///< status 200 with an <Error> root
  object::ServerError error;
  std::string etag;  ///< may be empty on success (Ceph RGW)
};

/// The answer of a token service: keys, or an error. What is not there is empty.
struct RoleAnswer {
  std::string access_key, secret_key, session_token;
  std::string expiration;
  object::ServerError error;
};
/// Never fails: of a body that can't be read, everything is empty.
RoleAnswer parse_role_body(std::string_view body);

/// Never fails: an error body that can't be read leaves the fields empty.
object::ServerError parse_error_body(std::string_view body);
/// Returns the host that an answer with PermanentRedirect names; empty if it names none.
std::string redirect_endpoint(std::string_view body);
Result<std::string> parse_upload_id(std::string_view body);
Result<CompleteAnswer> parse_complete_answer(std::string_view body);
Result<object::ObjectsPage> parse_list_answer(std::string_view body);
Result<object::UploadsPage> parse_uploads_answer(std::string_view body);

/// One part in a CompleteMultipartUpload request.
struct CompletedPart {
  std::string_view etag;
  std::string checksum;  ///< empty: not listed
};

/// Returns the request body; parts are numbered from 1 in the order given. `element` names their checksums.
std::string complete_request_body(std::span<const CompletedPart> parts, std::string_view element = "ChecksumCRC32C");

}  // namespace mlps::s3
