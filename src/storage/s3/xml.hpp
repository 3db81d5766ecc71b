#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace mlps::s3 {

/// The content of an error body. Texts fit on one line.
struct ServerError {
  std::string code;
  std::string message;
  std::string request_id;
  std::string region;  ///< where AuthorizationHeaderMalformed and PermanentRedirect name the right one
};

/// The root element of an answer, by kind. Namespaces and unknown elements are ignored. All parsers fail with E605 on
/// text that is no XML, holds a document type, an unknown entity or a reference to an impossible character.
struct CompleteAnswer {
  bool is_error = false;  ///< status 200 with an <Error> root
  ServerError error;
  std::string etag;  ///< may be empty on success (Ceph RGW)
};

struct ListedObject {
  std::string key;
  uint64_t size_bytes = 0;
};

struct ListAnswer {
  std::vector<ListedObject> objects;
  std::string next_token;  ///< empty on the last page
};

struct ListedUpload {
  std::string key;
  std::string id;  ///< at least 1 byte, at most 4096
};

struct UploadsAnswer {
  std::vector<ListedUpload> uploads;
  std::string next_key;  ///< empty on the last page
  std::string next_id;   ///< may be empty
};

/// The answer of a token service: keys, or an error. What is not there is empty.
struct RoleAnswer {
  std::string access_key, secret_key, session_token;
  std::string expiration;
  ServerError error;
};
/// Never fails: of a body that can't be read, everything is empty.
RoleAnswer parse_role_body(std::string_view body);

/// Never fails: an error body that can't be read leaves the fields empty.
ServerError parse_error_body(std::string_view body);
Result<std::string> parse_upload_id(std::string_view body);
Result<CompleteAnswer> parse_complete_answer(std::string_view body);
Result<ListAnswer> parse_list_answer(std::string_view body);
Result<UploadsAnswer> parse_uploads_answer(std::string_view body);

/// One part in a CompleteMultipartUpload request.
struct CompletedPart {
  std::string_view etag;
  std::string checksum_crc32c;  ///< empty: not listed
};

/// Returns the request body; parts are numbered from 1 in the order given.
std::string complete_request_body(std::span<const CompletedPart> parts);

}  // namespace mlps::s3
