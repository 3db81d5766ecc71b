// The XML bodies of an S3 server; each parser takes every body.
#include "fuzz.hpp"
#include "storage/s3/xml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view body = fuzz::text_of(data, size);
  (void)s3::parse_error_body(body);
  (void)s3::parse_upload_id(body);
  (void)s3::parse_complete_answer(body);
  (void)s3::parse_list_answer(body);
  (void)s3::parse_uploads_answer(body);
  return 0;
}
