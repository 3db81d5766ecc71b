#include "world/packet.hpp"

#include <fmt/format.h>

#include "world/archive.hpp"

namespace mlps::world {
namespace {

// Begins every packet. Its last digits are the version of the protocol, to be raised whenever packets change.
constexpr uint64_t kMark = 0x6d6c'7073'7772'0003;
constexpr size_t kHeader = 6 * sizeof(uint64_t);

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::kMpiCommunication, fmt::format("a message from another process is {}", what), {},
              "every host must run the same build of mlpstorage");
}

}  // namespace

Bytes encode(const Packet& packet) {
  Packer packer;
  const uint64_t kinds = static_cast<uint64_t>(packet.kind) | uint64_t{packet.operation} << 8;
  packer.number(kMark).number(kinds).number(packet.round).number(packet.sequence);
  packer.number(packet.total).number(packet.offset);
  Bytes bytes = packer.take();
  bytes += packet.body;
  return bytes;
}

Result<Packet> decode(std::string_view bytes) {
  if (bytes.size() < kHeader) return damaged("too short");
  Unpacker in(bytes);
  if (in.number() != kMark) return damaged("of another protocol");
  Packet packet;
  const uint64_t kinds = in.number();
  packet.kind = static_cast<PacketKind>(kinds & 0xff);
  packet.operation = static_cast<uint8_t>(kinds >> 8 & 0xff);
  packet.round = static_cast<uint32_t>(in.number());
  packet.sequence = in.number();
  packet.total = in.number();
  packet.offset = in.number();
  packet.body = bytes.substr(kHeader);
  if (packet.kind < PacketKind::kHeartbeat || packet.kind > PacketKind::kPong) return damaged("of an unknown kind");
  const bool fits = packet.offset <= packet.total && packet.body.size() <= packet.total - packet.offset;
  if (packet.kind == PacketKind::kData && !fits) return damaged("longer than it says");
  return packet;
}

Bytes encode(const FailureNotice& notice) {
  return Packer()(notice.error, notice.gone).take();
}

Result<FailureNotice> decode_failure(std::string_view bytes) {
  Unpacker in(bytes);
  FailureNotice notice;
  in(notice.error, notice.gone);
  if (!in.whole()) return damaged("too short");
  return notice;
}

}  // namespace mlps::world
