#include "world/peer_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "world/archive.hpp"

namespace mlps::world {
namespace {

// Longer data go in fragments: each is a sign of life, and no MPI count overflows.
constexpr size_t kFragmentBytes = 4 << 20;
constexpr Nanos kDrainNs = 1'000'000'000;

constexpr std::array kOperationNames = {"", "introduction", "barrier", "broadcast", "gather", "reduce", "end"};

}  // namespace

PeerGroup::PeerGroup(std::unique_ptr<Wire> wire, Failure& failure, const LinkLimits& limits,
                     std::atomic<Nanos>& progressed_ns)
    : wire_(std::move(wire)),
      failure_(failure),
      limits_(limits),
      progressed_ns_(progressed_ns),
      index_(wire_->index()),
      size_(wire_->size()),
      peers_(size_) {
  progressed_ns_ = now_ns();
  for (uint64_t step = 1; step < size_; step *= 2) {
    neighbours_.insert(static_cast<uint32_t>((index_ + step) % size_));
    neighbours_.insert(static_cast<uint32_t>((index_ + size_ - step) % size_));
  }
  for (const uint32_t neighbour : neighbours_) peers_[neighbour].watched = true;
}

Status PeerGroup::barrier() {
  begin(Operation::kBarrier, limits_.call_ns);
  return run_barrier();
}

Status PeerGroup::broadcast(Bytes& bytes) {
  begin(Operation::kBroadcast, limits_.call_ns);
  return broadcast_tree(bytes, 0);
}

Result<std::vector<Bytes>> PeerGroup::gather(Bytes mine) {
  begin(Operation::kGather, limits_.call_ns);
  std::vector<Bytes> all;
  if (Status done = gather_tree(std::move(mine), all); !done) return fail(std::move(done.error()));
  return all;
}

Status PeerGroup::reduce(Reduction reduction, std::span<double> values) {
  begin(Operation::kReduce, limits_.call_ns);
  uint32_t round = 0;
  for (uint64_t step = 1; step < size_; step *= 2, ++round) {
    const std::string_view raw(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    if (index_ & step) {
      if (Status sent = send_message(static_cast<uint32_t>(index_ - step), round, raw); !sent) return sent;
      break;
    }
    if (index_ + step >= size_) continue;
    const Result<Bytes> other = receive_message(static_cast<uint32_t>(index_ + step), round);
    if (!other) return fail(other.error());
    if (other->size() != values.size_bytes()) {
      raise_named({ErrorCode::kInternal, fmt::format("{} reduces {} bytes where {} reduces {}", name(index_ + step),
                                                     other->size(), name(index_), values.size_bytes())});
      return state();
    }
    for (size_t i = 0; i < values.size(); ++i) {
      double value;
      std::memcpy(&value, other->data() + i * sizeof value, sizeof value);
      values[i] = reduction == Reduction::kSum ? values[i] + value : std::max(values[i], value);
    }
  }
  Bytes result(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  if (Status done = broadcast_tree(result, 32); !done) return done;
  if (result.size() == values.size_bytes() && !values.empty()) {
    std::memcpy(values.data(), result.data(), result.size());
  }
  return {};
}

Status PeerGroup::close(Nanos limit_ns) {
  const Nanos deadline = now_ns() + limit_ns;
  if (!failure_.raised()) {
    begin(Operation::kClose, limit_ns);
    if (run_barrier()) {
      while (!drained() && !failure_.raised() && now_ns() < deadline) progress();
      // Every process leaves now: one that is silent is in finish().
      if (!failure_.raised()) {
        wire_over_ = true;
        return wire_->finish();
      }
    }
  }
  shutdown(deadline);
  return state();
}

// Process 0 waits until the others have cleaned up, and they wait for process 0: a launcher may kill all processes when
// the first one ends.
void PeerGroup::shutdown(Nanos deadline_ns) {
  const auto done = [&] {
    if (index_ != 0) return peers_[0].left || peers_[0].dead;
    return std::all_of(peers_.begin() + 1, peers_.end(), [](const Peer& peer) { return peer.left || peer.dead; });
  };
  if (index_ != 0) send(0, {.kind = PacketKind::kBye});
  for (Backoff backoff; !done() && !wire_over_ && now_ns() < deadline_ns;) {
    progress_or_pause(backoff);
  }
  if (index_ == 0) {
    for (uint32_t peer = 1; peer < size_; ++peer) send(peer, {.kind = PacketKind::kBye});
  }
  const Nanos drain_deadline = now_ns() + kDrainNs;
  for (Backoff backoff; !drained() && now_ns() < drain_deadline;) {
    progress_or_pause(backoff);
  }
}

void PeerGroup::abort(int exit_status) {
  // One process speaks for the job, so that the launcher returns its status; without process 0, any that is left.
  if (index_ != 0 && !peers_[0].dead) return;
  const auto left = [&](const Peer& peer) { return &peer == &peers_[index_] || peer.left; };
  wire_->abort(exit_status, std::all_of(peers_.begin(), peers_.end(), left));
}

void PeerGroup::begin(Operation operation, Nanos limit_ns) {
  operation_ = operation;
  ++sequence_;
  deadline_ns_ = now_ns() + limit_ns;
}

// A dissemination barrier: after round k every process knows that 2^(k+1) processes have arrived.
Status PeerGroup::run_barrier() {
  uint32_t round = 0;
  for (uint64_t step = 1; step < size_; step *= 2, ++round) {
    if (Status sent = send_message(static_cast<uint32_t>((index_ + step) % size_), round, {}); !sent) return sent;
    if (auto got = receive_message(static_cast<uint32_t>((index_ + size_ - step) % size_), round); !got) {
      return fail(std::move(got.error()));
    }
  }
  return state();
}

// Binomial tree: the parent of a process is the process without its lowest set bit.
Status PeerGroup::broadcast_tree(Bytes& bytes, uint32_t first_round) {
  uint64_t step = 1;
  for (; step < size_; step *= 2) {
    if ((index_ & step) == 0) continue;
    Result<Bytes> got = receive_message(static_cast<uint32_t>(index_ - step), first_round);
    if (!got) return fail(std::move(got.error()));
    bytes = std::move(*got);
    break;
  }
  for (step /= 2; step > 0; step /= 2) {
    if (index_ + step >= size_) continue;
    if (Status sent = send_message(static_cast<uint32_t>(index_ + step), first_round, bytes); !sent) return sent;
  }
  return state();
}

Status PeerGroup::gather_tree(Bytes mine, std::vector<Bytes>& all) {
  Bytes bundle = Packer().number(index_).text(mine).take();
  uint32_t round = 0;
  for (uint64_t step = 1; step < size_; step *= 2, ++round) {
    if (index_ & step) return send_message(static_cast<uint32_t>(index_ - step), round, bundle);
    if (index_ + step >= size_) continue;
    const Result<Bytes> more = receive_message(static_cast<uint32_t>(index_ + step), round);
    if (!more) return fail(more.error());
    bundle += *more;
  }
  all.resize(size_);
  Unpacker in(bundle);
  while (in.good() && !in.empty()) {
    const uint64_t process = in.number();
    const std::string_view bytes = in.text();
    if (process < size_) all[process] = bytes;
  }
  if (!in.good()) raise_damaged(index_, "what the processes sent does not add up");
  return state();
}

Status PeerGroup::send_message(uint32_t to, uint32_t round, std::string_view bytes) {
  if (Status fine = state(); !fine) return fine;  // after a failure nothing that is sent can be right
  size_t offset = 0;
  do {
    const std::string_view piece = bytes.substr(offset, kFragmentBytes);
    send(to, {.kind = PacketKind::kData,
              .operation = static_cast<uint8_t>(operation_),
              .round = round,
              .sequence = sequence_,
              .total = bytes.size(),
              .offset = offset,
              .body = piece});
    offset += piece.size();
  } while (offset < bytes.size());
  return state();
}

Result<Bytes> PeerGroup::receive_message(uint32_t from, uint32_t round) {
  const Key key{sequence_, from, round};
  for (Backoff backoff; state();) {
    const auto found = arrived_.find(key);
    if (found != arrived_.end() && found->second.operation != operation_) {
      raise_named(
          {ErrorCode::kInternal, fmt::format("{} is in {} {} where {} is in {}", name(from),
                                             kOperationNames[static_cast<size_t>(found->second.operation)], sequence_,
                                             name(index_), kOperationNames[static_cast<size_t>(operation_)])});
      break;
    }
    if (found != arrived_.end() && found->second.received == found->second.total) {
      std::optional<Bytes> bytes = found->second.joined();
      arrived_.erase(found);
      if (bytes) return std::move(*bytes);
      raise_damaged(from, "the fragments of a message leave gaps");
      break;
    }
    if (now_ns() > deadline_ns_) {
      raise_named({ErrorCode::kTimeout,
                   fmt::format("{} did not come to {} {}, which {} waits at", name(from),
                               kOperationNames[static_cast<size_t>(operation_)], sequence_, name(index_))});
      break;
    }
    progress_or_pause(backoff);
  }
  return fail(std::move(state().error()));
}

Status PeerGroup::state() const {
  if (!failure_.raised()) return {};
  return fail(*failure_.first());
}

std::string PeerGroup::name(uint32_t process) const {
  if (peers_[process].host.empty()) return fmt::format("process {}", process);
  return fmt::format("host {} (process {})", peers_[process].host, process);
}

}  // namespace mlps::world
