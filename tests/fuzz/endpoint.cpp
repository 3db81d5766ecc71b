// Endpoints as people write them: what is accepted means the same when it is shown and read again.
#include "fuzz.hpp"
#include "storage/endpoint_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps::storage;
  const std::string_view text = mlps::fuzz::text_of(data, size);
  if (const auto texts = expand_template(text, "template")) {
    mlps::fuzz::require(!texts->empty() && texts->size() <= kMaxEndpoints, "a template makes 1 to 1,024 texts");
    (void)parse_endpoints(*texts, "template");
  }
  const auto endpoint = parse_endpoint(text, "endpoint");
  if (!endpoint) {
    for (const char c : endpoint.error().message) mlps::fuzz::require(c != '\n' && c != '\0', "an error is one line");
    return 0;
  }
  const auto again = parse_endpoint(endpoint->url(), "endpoint");
  mlps::fuzz::require(again && *again == *endpoint, "an endpoint survives being shown");
  for (const char c : endpoint->url()) mlps::fuzz::require(c > ' ' && c < 0x7f, "a URL can stand in a request");
  return 0;
}
