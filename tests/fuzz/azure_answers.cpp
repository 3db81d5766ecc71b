// The bodies of Azure Blob storage and of the services that hand out its tokens; each parser takes every body.
#include "fuzz.hpp"
#include "storage/azure/tokens.hpp"
#include "storage/azure/xml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view body = fuzz::text_of(data, size);
  (void)azure::parse_error_body(body);
  if (const auto page = azure::parse_blob_list(body)) {
    for (const auto& blob : page->objects) fuzz::require(!blob.key.empty(), "a listed blob has a name");
  }
  if (const auto lease = azure::parse_token_answer(body, 1'000'000)) {
    fuzz::require(!lease->value.empty() && lease->value.find_first_of("\r\n") == std::string::npos,
                  "a token fits into a header");
  }
  return 0;
}
