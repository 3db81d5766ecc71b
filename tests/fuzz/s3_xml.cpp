// The bodies of S3 servers and token services; each parser takes every body.
#include "base/encoding.hpp"
#include "fuzz.hpp"
#include "storage/object/server_words.hpp"
#include "storage/s3/key_services.hpp"
#include "storage/s3/sso.hpp"
#include "storage/s3/xml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view body = fuzz::text_of(data, size);
  (void)s3::parse_error_body(body);
  (void)s3::parse_role_body(body);
  (void)s3::parse_role_answer(200, body, "service");
  (void)s3::parse_json_keys(body, "Token", "service");
  (void)s3::parse_portal_keys(body, "service");
  if (const auto token = s3::parse_portal_token(body, "file", 0)) {
    fuzz::require(token->find_first_of("\r\n ") == std::string::npos, "a token fits into a header");
  }
  (void)s3::redirect_endpoint(body);
  (void)object::words_of_body(body);
  (void)parse_iso_time(body);
  (void)s3::parse_upload_id(body);
  (void)s3::parse_complete_answer(body);
  (void)s3::parse_list_answer(body);
  (void)s3::parse_uploads_answer(body);
  return 0;
}
