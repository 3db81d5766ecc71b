// Signs of life and of failure: what Peers does whenever the wire is turned.
#include <fmt/format.h>

#include "world/peers.hpp"

namespace mlps::world {
namespace {

constexpr int kMessagesPerTurn = 64;

}  // namespace

bool Peers::turn() {
  if (wire_over_) {
    turned_ns_ = now_ns();
    return false;
  }
  bool came = false;
  for (int i = 0; i < kMessagesPerTurn && !wire_over_; ++i) {
    Result<std::optional<Message>> message = wire_->poll();
    if (!message) {
      lose_wire(message.error());
      continue;  // of one process: there may be news from others
    }
    if (!*message) break;
    came = true;
    handle(**message);
  }
  const Nanos now = now_ns();
  // Who did not listen can't judge: a process that was stopped, or starved, gives the others the time it missed.
  const Nanos missed = now - turned_ns_.exchange(now);
  if (missed > limits_.heartbeat_ns) {
    for (const uint32_t neighbour : neighbours_) peers_[neighbour].heard_ns += missed;
  }
  heartbeat(now);
  watch(now);
  tell_failure();
  return came;
}

void Peers::wait_a_turn(Backoff& backoff) {
  if (turn()) {
    backoff.reset();
  } else {
    backoff.pause();
  }
}

void Peers::handle(const Message& message) {
  peers_[message.from].heard_ns = now_ns();
  const Result<Packet> packet = decode(message.bytes);
  if (!packet) {
    Error error = packet.error();
    error.host = name(message.from);
    raise_named(std::move(error));
    return;
  }
  switch (packet->kind) {
    case PacketKind::kHeartbeat:
      break;
    case PacketKind::kData:
      keep(message.from, *packet);
      break;
    case PacketKind::kFailure: {
      Result<FailureNotice> notice = decode_failure(packet->body);
      if (!notice) return raise_named(std::move(notice.error()));
      if (notice->gone && *notice->gone < size_) {
        peers_[*notice->gone].gone = true;
        gone_ = notice->gone;
      }
      raise_named(std::move(notice->error));
      break;
    }
    case PacketKind::kBye:
      peers_[message.from].said_bye = true;
      break;
    case PacketKind::kPing:
      answer(message.from, packet->sequence);
      break;
    case PacketKind::kPong: {
      Unpacker in(packet->body);
      const auto monotonic = static_cast<Nanos>(in.number());
      pong_ = Pong{message.from, packet->sequence, {monotonic, static_cast<int64_t>(in.number())}};
      break;
    }
  }
}

void Peers::keep(uint32_t from, const Packet& packet) {
  Assembly& assembly = arrived_[{packet.sequence, from, packet.round}];
  assembly.operation = static_cast<Operation>(packet.operation);
  assembly.total = packet.total;
  if (packet.body.size() == packet.total) {
    assembly.bytes = packet.body;
  } else {
    assembly.bytes.resize(packet.total);
    assembly.bytes.replace(packet.offset, packet.body.size(), packet.body);
  }
  assembly.received += packet.body.size();
}

void Peers::answer(uint32_t to, uint64_t number) {
  const Stamps stamps = Stamps::now();
  const Bytes body =
      Packer().number(static_cast<uint64_t>(stamps.monotonic_ns)).number(static_cast<uint64_t>(stamps.wall_ns)).take();
  send(to, {.kind = PacketKind::kPong, .sequence = number, .body = body});
}

void Peers::heartbeat(Nanos now) {
  if (now - last_beat_ns_ < limits_.heartbeat_ns) return;
  last_beat_ns_ = now;
  for (const uint32_t neighbour : neighbours_) {
    // What isn't on its way yet will be a sign of life itself; to a peer that is gone nothing must pile up.
    if (peers_[neighbour].gone || wire_->unsent(neighbour) > 0) continue;
    send(neighbour, {.kind = PacketKind::kHeartbeat});
  }
}

void Peers::watch(Nanos now) {
  if (!introduced_) return;
  for (const uint32_t neighbour : neighbours_) {
    Peer& peer = peers_[neighbour];
    if (peer.gone || peer.said_bye || now - peer.heard_ns <= limits_.lost_after_ns) continue;
    lose(neighbour, fmt::format("no sign of life for {:g} s", to_seconds(limits_.lost_after_ns)));
  }
}

void Peers::lose(uint32_t process, const std::string& why) {
  peers_[process].gone = true;
  if (!gone_) gone_ = process;
  raise_named({ErrorCode::kHostUnreachable, fmt::format("{} is gone: {}", name(process), why),
               fmt::format("noticed by {}", name(index_)),
               "look at that host: was the process killed (out of memory?), is the host or its network down?"});
}

void Peers::tell_failure() {
  if (told_ || !failure_.raised()) return;
  told_ = true;
  FailureNotice notice{*failure_.first(), {}};
  if (notice.error.host) {
    notice.gone = gone_;
  } else {
    const std::optional<uint32_t> rank = failure_.rank();
    notice.error.host = rank ? fmt::format("{}, rank {}", name(index_), *rank) : name(index_);
  }
  const Bytes body = encode(notice);
  for (const uint32_t neighbour : neighbours_) send(neighbour, {.kind = PacketKind::kFailure, .body = body});
}

void Peers::raise_named(Error error) {
  if (!error.host) error.host.emplace();  // the message names it
  failure_.raise(std::move(error));
}

void Peers::lose_wire(const Error& error) {
  const std::optional<uint32_t> process = wire_->unreachable();
  if (!process || *process >= size_) {
    wire_over_ = true;
    failure_.raise(error);
    return;
  }
  // Who has said good-bye may have left.
  const Peer& peer = peers_[*process];
  if (!peer.gone && !peer.said_bye) lose(*process, error.message.substr(0, error.message.find('\n')));
}

void Peers::send(uint32_t to, const Packet& packet) {
  if (wire_over_ || peers_[to].gone) return;
  if (Status sent = wire_->send(to, encode(packet)); !sent) lose_wire(sent.error());
}

bool Peers::drained() const {
  if (wire_over_) return true;
  for (uint32_t peer = 0; peer < size_; ++peer) {
    if (!peers_[peer].gone && wire_->unsent(peer) > 0) return false;
  }
  return true;
}

}  // namespace mlps::world
