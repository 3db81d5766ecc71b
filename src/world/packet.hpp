#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "world/transport.hpp"

namespace mlps::world {

enum class PacketKind : uint8_t { kHeartbeat = 1, kData, kFailure, kBye, kPing, kPong };

/// The content of one message of the wire. Long data are sent in several packets.
struct Packet {
  PacketKind kind = PacketKind::kHeartbeat;
  uint8_t operation = 0;  ///< data: which collective call
  uint32_t round = 0;     ///< data: step of the call
  uint64_t sequence = 0;  ///< data: number of the call; ping and pong: number of the ping
  uint64_t total = 0;     ///< data: length over all packets
  uint64_t offset = 0;    ///< data: where the body belongs
  std::string_view body = {};
};

Bytes encode(const Packet& packet);
/// Returns a packet whose body refers to `bytes`; E503 if they are not a packet of this program.
Result<Packet> decode(std::string_view bytes);

/// A failure as it is sent to the other processes.
struct FailureNotice {
  Error error;
  std::optional<uint32_t> gone;  ///< the process that is no more, if that is the failure
};
Bytes encode(const FailureNotice& notice);
Result<FailureNotice> decode_failure(std::string_view bytes);

}  // namespace mlps::world
