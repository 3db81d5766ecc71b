// What another process sends: a packet, and packed facts of a host.
#include "world/packet.hpp"

#include "fuzz.hpp"
#include "world/archive.hpp"
#include "world/host_facts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view bytes = fuzz::text_of(data, size);
  if (const auto packet = world::decode(bytes)) {
    const world::Bytes bytes_again = world::encode(*packet);
    const auto again = world::decode(bytes_again);
    fuzz::require(again && again->total == packet->total && again->offset == packet->offset &&
                      again->sequence == packet->sequence && again->body == packet->body,
                  "a packet survives being encoded");
  }
  (void)world::decode_failure(bytes);
  if (const auto facts = world::unpack<world::HostFacts>(world::kHostFacts, "host b", bytes)) {
    const world::Bytes again = world::pack(world::kHostFacts, *facts);
    fuzz::require(world::unpack<world::HostFacts>(world::kHostFacts, "host b", again).has_value(),
                  "facts survive being packed");
  }
  world::Unpacker unpacker(bytes);
  while (unpacker.good() && !unpacker.empty()) {
    (void)unpacker.number();
    (void)unpacker.text();
    Error error;
    unpacker(error);
  }
  return 0;
}
