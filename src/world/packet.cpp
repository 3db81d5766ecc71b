#include "world/packet.hpp"

#include <fmt/format.h>

#include <cstring>

namespace mlps::world {
namespace {

// Begins every packet. Its last digits are the version of the protocol, to be raised whenever packets change.
constexpr uint64_t kMark = 0x6d6c'7073'7772'0002;
constexpr size_t kHeader = 6 * sizeof(uint64_t);

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::kMpiCommunication, fmt::format("a message from another process is {}", what), {},
              "every host must run the same build of mlpstorage");
}

}  // namespace

Packer& Packer::number(uint64_t value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes_.append(raw, sizeof raw);
  return *this;
}

Packer& Packer::text(std::string_view value) {
  number(value.size());
  bytes_ += value;
  return *this;
}

Packer& Packer::error(const Error& value) {
  return number(static_cast<uint64_t>(value.code)).text(value.message).text(value.details).text(value.suggestion).number(value.host ? 1 : 0).text(value.host.value_or(""));
}

std::string_view Unpacker::taken(uint64_t length) {
  if (!good_ || length > rest_.size()) {
    good_ = false;
    return {};
  }
  const std::string_view result = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return result;
}

uint64_t Unpacker::number() {
  uint64_t value = 0;
  const std::string_view raw = taken(sizeof value);
  if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

std::string_view Unpacker::text() {
  return taken(number());
}

Error Unpacker::error() {
  Error error;
  error.code = static_cast<ErrorCode>(number());
  error.message = text();
  error.details = text();
  error.suggestion = text();
  const bool has_host = number() != 0;
  const std::string_view host = text();
  if (has_host) error.host = host;
  return error;
}

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
  return Packer().error(notice.error).number(notice.gone ? uint64_t{*notice.gone} + 1 : 0).take();
}

Result<FailureNotice> decode_failure(std::string_view bytes) {
  Unpacker in(bytes);
  FailureNotice notice;
  notice.error = in.error();
  const uint64_t gone = in.number();
  if (!in.good()) return damaged("too short");
  if (gone != 0) notice.gone = static_cast<uint32_t>(gone - 1);
  return notice;
}

}  // namespace mlps::world
