// The first exchange: the processes introduce themselves, versions are compared and clocks measured.
#include <fmt/format.h>

#include "world/archive.hpp"
#include "world/peer_group.hpp"

namespace mlps::world {
namespace {

constexpr uint64_t kPings = 16;

}  // namespace

template <class Archive, Is<Introduction> I>
void fields(Archive& archive, I& introduction) {
  archive(introduction.version, introduction.host, introduction.pid);
}

template <class Archive, Is<Member> M>
void fields(Archive& archive, M& member) {
  archive(member.host, member.pid, member.clock);
}

PeerGroup::Stamps PeerGroup::Stamps::now() {
  const Stamp now = Stamp::now();
  return {now.monotonic_ns, now.wall_us * 1000};
}

Status PeerGroup::introduce(const Introduction& me) {
  peers_[index_].host = me.host;
  begin(Operation::kIntroduce, limits_.start_ns);
  std::vector<Bytes> introductions;
  if (Status done = gather_tree(Packer()(me).take(), introductions); !done) return done;
  Bytes table;
  if (index_ == 0) {
    if (Status same = check_introductions(introductions, table); !same) {
      raise_named(std::move(same.error()));
      return state();
    }
  }
  if (Status done = broadcast_tree(table, 32); !done) return done;
  if (Status learned = unpack_members(table); !learned) {
    raise_named(std::move(learned.error()));
    return state();
  }
  // From here on a silent process counts as dead.
  for (Peer& peer : peers_) peer.last_seen_ns = now_ns();
  introduced_ = true;
  return {};
}

// Makes the table of members, in process 0; an error names the process that runs another version.
Status PeerGroup::check_introductions(const std::vector<Bytes>& introductions, Bytes& table) {
  std::vector<std::string> versions;
  for (uint32_t i = 0; i < size_; ++i) {
    Unpacker in(introductions[i]);
    Introduction other;
    in(other);
    versions.push_back(other.version);
    peers_[i].host = other.host;
    members_.push_back({other.host, other.pid, {}});
    if (!in.whole()) return fail(ErrorCode::kMpiCommunication, fmt::format("{} introduced itself wrongly", name(i)));
  }
  for (uint32_t i = 1; i < size_; ++i) {
    if (versions[i] == versions[0]) continue;
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("{} runs {}, but {} runs {}", name(i), versions[i], name(0), versions[0]), {},
                "install the same build of mlpstorage on every host");
  }
  for (uint32_t i = 1; i < size_; ++i) {
    const std::optional<ClockOffset> offset = measure_clock(i);
    if (!offset) return state();
    members_[i].clock = *offset;
  }
  table = Packer()(members_).take();
  return {};
}

Status PeerGroup::unpack_members(const Bytes& table) {
  Unpacker in(table);
  in(members_);
  if (in.whole() && members_.size() == size_) {
    for (uint32_t i = 0; i < size_; ++i) peers_[i].host = members_[i].host;
    return {};
  }
  return fail(ErrorCode::kMpiCommunication, "the list of hosts that process 0 sent is damaged");
}

// Takes the exchange with the least delay, within which the peer read its clocks: its bound on the error is the lowest.
std::optional<ClockOffset> PeerGroup::measure_clock(uint32_t peer) {
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
      progress_or_pause(backoff);
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
