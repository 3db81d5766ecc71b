#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// What a server of Google's JSON API answers. All parsers take hostile input: text that is no JSON of the expected
/// shape is E605, and texts that people see fit on one line.
namespace mlps::gcs {

/// The content of an error body: of the JSON API, or of a token endpoint ("invalid_grant").
struct ServerError {
  std::string reason;  ///< "notFound", "rateLimitExceeded", ...; empty: none was given
  std::string message;
};

/// Never fails: of a body that is no JSON, such as a proxy's page, the beginning becomes the message.
ServerError parse_error_body(std::string_view body);

/// What the server keeps of an object.
struct StoredObject {
  std::string name;
  uint64_t size_bytes = 0;
  std::optional<uint32_t> crc32c;
  std::string generation;  ///< digits; empty: not given
};

Result<StoredObject> parse_object(std::string_view body);

struct ListAnswer {
  std::vector<StoredObject> objects;
  std::string next_token;  ///< empty on the last page
};

Result<ListAnswer> parse_list(std::string_view body);

/// A bearer token as its endpoint hands it out.
struct IssuedToken {
  std::string value;
  std::chrono::seconds lifetime{};
};

/// E605 also for a token that could not stand in a header.
Result<IssuedToken> parse_token(std::string_view body);

}  // namespace mlps::gcs
