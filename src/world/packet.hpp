#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "world/transport.hpp"

namespace mlps::world {

/// Writes numbers and texts one after the other, for Unpacker to read in the same order. Hosts of a job share a byte
/// order; a packet's mark would tell if they did not.
class Packer {
 public:
  Packer& number(uint64_t value);
  Packer& integer(int64_t value) { return number(static_cast<uint64_t>(value)); }
  Packer& real(double value) { return number(std::bit_cast<uint64_t>(value)); }
  Packer& text(std::string_view value);
  Packer& error(const Error& value);
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  /// Return zero or an empty text when the bytes end too early; good() tells. Check good() before memory is reserved
  /// for a number that was read, or a loop runs over it.
  uint64_t number();
  int64_t integer() { return static_cast<int64_t>(number()); }
  double real() { return std::bit_cast<double>(number()); }
  std::string_view text();
  Error error();
  bool good() const { return good_; }
  bool empty() const { return rest_.empty(); }
  size_t left() const { return rest_.size(); }  ///< bytes not read yet

 private:
  std::string_view taken(uint64_t length);

  std::string_view rest_;
  bool good_ = true;
};

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
