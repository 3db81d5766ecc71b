// Signs of life and of failure: what a peer group does whenever it makes progress.
#include <fmt/format.h>

#include "world/archive.hpp"
#include "world/peer_group.hpp"

namespace mlps::world {
namespace {

constexpr int kMessagesPerTurn = 64;

}  // namespace

bool PeerGroup::progress() {
  if (wire_over_) {
    progressed_ns_ = now_ns();
    return false;
  }
  bool came = false;
  for (int i = 0; i < kMessagesPerTurn && !wire_over_; ++i) {
    Result<std::optional<Message>> message = wire_->poll();
    if (!message) {
      handle_wire_error(message.error());
      continue;  // the error may be about one process only: others may have sent something
    }
    if (!*message) break;
    came = true;
    handle(**message);
  }
  const Nanos now = now_ns();
  // After being suspended or starved, extend every peer's deadline by the time this process was not polling.
  const Nanos missed = now - progressed_ns_.exchange(now);
  if (missed > limits_.heartbeat_ns) {
    for (const uint32_t neighbour : neighbours_) peers_[neighbour].last_seen_ns += missed;
  }
  send_heartbeats(now);
  check_heartbeats(now);
  announce_failure();
  return came;
}

void PeerGroup::progress_or_pause(Backoff& backoff) {
  if (progress()) {
    backoff.reset();
  } else {
    backoff.pause();
  }
}

void PeerGroup::handle(const Message& message) {
  peers_[message.from].last_seen_ns = now_ns();
  const Result<Packet> packet = decode(message.bytes);
  if (!packet) {
    return raise_damaged(message.from, packet.error().message);
  }
  switch (packet->kind) {
    case PacketKind::kHeartbeat:
      break;
    case PacketKind::kData:
      store_fragment(message.from, *packet);
      break;
    case PacketKind::kFailure: {
      Result<FailureNotice> notice = decode_failure(packet->body);
      if (!notice) return raise_damaged(message.from, notice.error().message);
      if (notice->gone && *notice->gone < size_) {
        peers_[*notice->gone].dead = true;
        dead_ = notice->gone;
      }
      raise_named(std::move(notice->error));
      break;
    }
    case PacketKind::kBye:
      peers_[message.from].left = true;
      break;
    case PacketKind::kPing:
      answer_ping(message.from, packet->sequence);
      break;
    case PacketKind::kPong: {
      Unpacker in(packet->body);
      Pong& pong = pong_.emplace(Pong{message.from, packet->sequence, {}});
      in(pong.at.monotonic_ns, pong.at.wall_ns);
      if (!in.whole()) raise_damaged(message.from, "an answer to a ping is too short");
      break;
    }
  }
}

// Memory is taken for what has come only, never for what a packet says will come.
void PeerGroup::store_fragment(uint32_t from, const Packet& packet) {
  const bool is_known = packet.operation >= static_cast<uint8_t>(Operation::kIntroduce) &&
                        packet.operation <= static_cast<uint8_t>(Operation::kClose);
  Assembly& assembly = arrived_[{packet.sequence, from, packet.round}];
  if (assembly.fragments.empty()) {
    assembly.operation = static_cast<Operation>(packet.operation);
    assembly.total = packet.total;
  }
  const bool fits = assembly.operation == static_cast<Operation>(packet.operation) && assembly.total == packet.total &&
                    packet.body.size() <= assembly.total - assembly.received;
  if (!is_known || !fits || !assembly.fragments.emplace(packet.offset, packet.body).second) {
    return raise_damaged(from, "a fragment of a message does not fit the others");
  }
  assembly.received += packet.body.size();
}

std::optional<Bytes> PeerGroup::Assembly::joined() {
  Bytes bytes;
  if (fragments.size() == 1) {
    bytes = std::move(fragments.begin()->second);
  } else {
    bytes.reserve(total);
    for (auto& [offset, fragment] : fragments) {
      if (offset != bytes.size()) return std::nullopt;
      bytes += fragment;
      fragment = {};
    }
  }
  return bytes.size() == total ? std::optional(std::move(bytes)) : std::nullopt;
}

void PeerGroup::raise_damaged(uint32_t from, const std::string& what) {
  raise_named({ErrorCode::kMpiCommunication, what, {}, "every host must run the same build of mlpstorage", name(from)});
}

void PeerGroup::answer_ping(uint32_t to, uint64_t number) {
  const Stamps stamps = Stamps::now();
  const Bytes body = Packer()(stamps.monotonic_ns, stamps.wall_ns).take();
  send(to, {.kind = PacketKind::kPong, .sequence = number, .body = body});
}

void PeerGroup::send_heartbeats(Nanos now) {
  if (now - last_beat_ns_ < limits_.heartbeat_ns) return;
  last_beat_ns_ = now;
  for (const uint32_t neighbour : neighbours_) {
    // A message that is not on its way yet will be a sign of life itself; for a dead peer nothing must pile up.
    if (peers_[neighbour].dead || wire_->unsent(neighbour) > 0) continue;
    send(neighbour, {.kind = PacketKind::kHeartbeat});
  }
}

void PeerGroup::check_heartbeats(Nanos now) {
  if (!introduced_) return;
  for (const uint32_t neighbour : neighbours_) {
    Peer& peer = peers_[neighbour];
    if (peer.dead || peer.left || now - peer.last_seen_ns <= limits_.lost_after_ns) continue;
    mark_dead(neighbour, fmt::format("no sign of life for {:g} s", to_seconds(limits_.lost_after_ns)));
  }
}

void PeerGroup::mark_dead(uint32_t process, const std::string& why) {
  peers_[process].dead = true;
  if (!dead_) dead_ = process;
  raise_named({ErrorCode::kHostUnreachable, fmt::format("{} is gone: {}", name(process), why),
               fmt::format("noticed by {}", name(index_)),
               "look at that host: was the process killed (out of memory?), is the host or its network down?"});
}

void PeerGroup::announce_failure() {
  if (announced_ || !failure_.raised()) return;
  announced_ = true;
  FailureNotice notice{*failure_.first(), {}};
  if (notice.error.host) {
    notice.gone = dead_;
  } else {
    const std::optional<uint32_t> rank = failure_.rank();
    notice.error.host = rank ? fmt::format("{}, rank {}", name(index_), *rank) : name(index_);
  }
  const Bytes body = encode(notice);
  for (const uint32_t neighbour : neighbours_) send(neighbour, {.kind = PacketKind::kFailure, .body = body});
}

void PeerGroup::raise_named(Error error) {
  if (!error.host) error.host.emplace();  // the message names it
  failure_.raise(std::move(error));
}

void PeerGroup::handle_wire_error(const Error& error) {
  const std::optional<uint32_t> process = wire_->unreachable();
  if (!process || *process >= size_) {
    wire_over_ = true;
    failure_.raise(error);
    return;
  }
  // A process that has said that it leaves may be gone.
  const Peer& peer = peers_[*process];
  if (!peer.dead && !peer.left) mark_dead(*process, error.message.substr(0, error.message.find('\n')));
}

void PeerGroup::send(uint32_t to, const Packet& packet) {
  if (wire_over_ || peers_[to].dead) return;
  if (Status sent = wire_->send(to, encode(packet)); !sent) handle_wire_error(sent.error());
}

bool PeerGroup::drained() const {
  if (wire_over_) return true;
  for (uint32_t peer = 0; peer < size_; ++peer) {
    if (!peers_[peer].dead && wire_->unsent(peer) > 0) return false;
  }
  return true;
}

}  // namespace mlps::world
