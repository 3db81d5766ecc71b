// An answer of a server, in pieces of any size. First byte: size of the pieces; second: with or without a sink, HEAD or
// GET.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "fuzz.hpp"
#include "storage/http/response.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  if (size < 2) return 0;
  const size_t piece = 1 + data[0];
  std::array<std::byte, 256> sink{};
  http::Exchange exchange;
  exchange.text_limit = 512;
  if ((data[1] & 1) != 0) exchange.sink = sink;
  if ((data[1] & 2) != 0) exchange.method = http::Method::kHead;
  const auto reader = std::make_unique<http::ResponseReader>();
  reader->begin(exchange);
  std::string_view rest = fuzz::text_of(data + 2, size - 2);
  while (!reader->finished() && !rest.empty()) {
    const std::span<std::byte> room = reader->room();
    fuzz::require(!room.empty(), "an unfinished answer has room");
    const size_t count = std::min({piece, rest.size(), room.size()});
    std::memcpy(room.data(), rest.data(), count);
    reader->received(count);
    rest.remove_prefix(count);
  }
  if (!reader->finished()) reader->ended("the end");
  fuzz::require(reader->finished(), "an answer is finished when the connection ends");
  fuzz::require(exchange.text.size() <= exchange.text_limit, "text is bounded");
  fuzz::require(exchange.sink.empty() || exchange.status >= 300 || exchange.received <= sink.size(),
                "no more is received than there is room for");
  return 0;
}
