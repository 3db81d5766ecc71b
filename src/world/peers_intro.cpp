// The first exchange: who is there, do all run the same program, and how do their clocks differ.
#include <fmt/format.h>

#include "world/peers.hpp"

namespace mlps::world {
namespace {

constexpr uint64_t kPings = 16;

int64_t clock_ns(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Peers::Stamps Peers::Stamps::now() {
  return {clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_REALTIME)};
}

Status Peers::introduce(const Introduction& me) {
  peers_[index_].host = me.host;
  begin(Operation::kIntroduce, limits_.start_ns);
  std::vector<Bytes> introductions;
  Bytes mine = Packer().text(me.version).text(me.host).number(static_cast<uint64_t>(me.pid)).take();
  if (Status done = collect(std::move(mine), introductions); !done) return done;
  Bytes table;
  if (index_ == 0) {
    if (Status same = judge(introductions, table); !same) {
      raise_named(std::move(same.error()));
      return state();
    }
  }
  if (Status done = spread(table, 32); !done) return done;
  if (Status learned = learn(table); !learned) {
    raise_named(std::move(learned.error()));
    return state();
  }
  // From here on silence counts.
  for (Peer& peer : peers_) peer.heard_ns = now_ns();
  introduced_ = true;
  return {};
}

// In process 0: the table that all get, or the sentence that says who runs something else.
Status Peers::judge(const std::vector<Bytes>& introductions, Bytes& table) {
  std::vector<std::string> versions;
  for (uint32_t i = 0; i < size_; ++i) {
    Unpacker in(introductions[i]);
    versions.emplace_back(in.text());
    peers_[i].host = in.text();
    members_.push_back({peers_[i].host, static_cast<int64_t>(in.number()), {}});
    if (!in.good()) return fail(ErrorCode::kMpiCommunication, fmt::format("{} introduced itself wrongly", name(i)));
  }
  for (uint32_t i = 1; i < size_; ++i) {
    if (versions[i] == versions[0]) continue;
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("{} runs {}, but {} runs {}", name(i), versions[i], name(0), versions[0]), {},
                "install the same build of mlpstorage on every host");
  }
  Packer packer;
  for (uint32_t i = 0; i < size_; ++i) {
    if (i != 0) {
      const std::optional<ClockOffset> offset = measure(i);
      if (!offset) return state();
      members_[i].clock = *offset;
    }
    const Member& member = members_[i];
    packer.text(member.host).number(static_cast<uint64_t>(member.pid));
    packer.number(static_cast<uint64_t>(member.clock.monotonic_ns)).number(static_cast<uint64_t>(member.clock.wall_ns));
    packer.number(static_cast<uint64_t>(member.clock.error_ns));
  }
  table = packer.take();
  return {};
}

Status Peers::learn(const Bytes& table) {
  Unpacker in(table);
  members_.clear();
  for (uint32_t i = 0; i < size_; ++i) {
    Member member;
    member.host = in.text();
    member.pid = static_cast<int64_t>(in.number());
    member.clock.monotonic_ns = static_cast<Nanos>(in.number());
    member.clock.wall_ns = static_cast<int64_t>(in.number());
    member.clock.error_ns = static_cast<Nanos>(in.number());
    peers_[i].host = member.host;
    members_.push_back(std::move(member));
  }
  if (in.good() && in.empty()) return {};
  return fail(ErrorCode::kMpiCommunication, "the list of hosts that process 0 sent is damaged");
}

// The exchange with the least delay leaves the least doubt: the peer read its clocks within it.
std::optional<ClockOffset> Peers::measure(uint32_t peer) {
  std::optional<ClockOffset> best;
  for (uint64_t number = 1; number <= kPings; ++number) {
    pong_.reset();
    const Stamps sent = Stamps::now();
    send(peer, {.kind = PacketKind::kPing, .sequence = number});
    for (Backoff backoff; !pong_ || pong_->from != peer || pong_->number != number;) {
      if (!state()) return std::nullopt;
      if (now_ns() > deadline_ns_) {
        raise_named({ErrorCode::kTimeout, fmt::format("{} does not answer {}", name(peer), name(0))});
        return std::nullopt;
      }
      wait_a_turn(backoff);
    }
    const Stamps back = Stamps::now();
    const Nanos error = (back.monotonic_ns - sent.monotonic_ns) / 2 + 1;
    if (best && best->error_ns <= error) continue;
    best = ClockOffset{pong_->at.monotonic_ns - (sent.monotonic_ns + back.monotonic_ns) / 2,
                       pong_->at.wall_ns - (sent.wall_ns + back.wall_ns) / 2, error};
  }
  return best;
}

}  // namespace mlps::world
