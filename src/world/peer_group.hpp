#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "world/backoff.hpp"
#include "world/packet.hpp"
#include "world/transport.hpp"
#include "world/wire.hpp"

namespace mlps::world {

/// How a process introduces itself to the others.
struct Introduction {
  std::string version;  ///< of program, build and rules: must be the same on every host
  std::string host;
  int64_t pid = 0;
};

/// This process's part in the group of processes of a job: collective calls made of messages of our own, which unlike
/// MPI's can be given up on; heartbeats; and the failure that all processes share. docs/protocols.md describes the
/// protocol. Used by one thread, the MPI thread; calls make progress while they wait.
///
/// Messages go between processes i and i +- 2^k, and between process 0 and the others for clocks and for the end.
/// Processes that wait for each other in a collective call also watch each other's heartbeats.
class PeerGroup {
 public:
  /// `progressed_ns` always holds the time of the last progress(), so that other threads see that no call of MPI hangs.
  PeerGroup(std::unique_ptr<Wire> wire, Failure& failure, const LinkLimits& limits,
               std::atomic<Nanos>& progressed_ns);

  uint32_t index() const { return index_; }
  uint32_t size() const { return size_; }
  const std::vector<Member>& members() const { return members_; }

  /// The first call, a collective one: compares versions with process 0's, exchanges names, measures clocks.
  Status introduce(const Introduction& me);

  Status barrier();
  Status broadcast(Bytes& bytes);
  Result<std::vector<Bytes>> gather(Bytes mine);
  Status reduce(Reduction reduction, std::span<double> values);
  Status close(Nanos limit_ns);
  bool is_dead(uint32_t process) const { return process < size_ && peers_[process].dead; }
  /// Ends the job if it is this process's part to do so; returns otherwise.
  void abort(int exit_status);

  /// Receives what has come, sends what is due, looks for silent peers. Returns true if a message came.
  bool progress();

 private:
  enum class Operation : uint8_t { kIntroduce = 1, kBarrier, kBroadcast, kGather, kReduce, kClose };
  struct Assembly {
    Operation operation{};
    std::map<uint64_t, Bytes> fragments;  // by offset
    uint64_t received = 0;
    uint64_t total = 0;
    /// Returns the message, once everything was received; nothing if the fragments overlap or leave gaps.
    std::optional<Bytes> joined();
  };
  using Key = std::tuple<uint64_t, uint32_t, uint32_t>;  // sequence, from, round
  struct Peer {
    std::string host;
    Nanos last_seen_ns = 0;
    bool watched = false;
    bool dead = false;
    bool left = false;
  };
  struct Stamps {
    Nanos monotonic_ns = 0;
    int64_t wall_ns = 0;
    static Stamps now();
  };
  struct Pong {
    uint32_t from = 0;
    uint64_t number = 0;
    Stamps at;
  };

  // Collectives.
  void begin(Operation operation, Nanos limit_ns);
  Status run_barrier();
  Status broadcast_tree(Bytes& bytes, uint32_t first_round);
  Status gather_tree(Bytes mine, std::vector<Bytes>& all);
  Status send_message(uint32_t to, uint32_t round, std::string_view bytes);
  Result<Bytes> receive_message(uint32_t from, uint32_t round);
  Status state() const;

  // The first exchange.
  Status check_introductions(const std::vector<Bytes>& introductions, Bytes& table);
  Status unpack_members(const Bytes& table);
  std::optional<ClockOffset> measure_clock(uint32_t peer);

  // Signs of life and of failure.
  void progress_or_pause(Backoff& backoff);
  void handle(const Message& message);
  void store_fragment(uint32_t from, const Packet& packet);
  void answer_ping(uint32_t to, uint64_t number);
  void send_heartbeats(Nanos now);
  void check_heartbeats(Nanos now);
  void announce_failure();
  void raise_named(Error error);
  void raise_damaged(uint32_t from, const std::string& what);
  void mark_dead(uint32_t process, const std::string& why);
  void handle_wire_error(const Error& error);
  void send(uint32_t to, const Packet& packet);
  bool drained() const;
  void shutdown(Nanos deadline_ns);
  std::string name(uint32_t process) const;

  std::unique_ptr<Wire> wire_;
  Failure& failure_;
  const LinkLimits limits_;
  std::atomic<Nanos>& progressed_ns_;
  const uint32_t index_;
  const uint32_t size_;
  std::vector<Member> members_;
  std::vector<Peer> peers_;
  std::set<uint32_t> neighbours_;
  std::map<Key, Assembly> arrived_;

  Operation operation_ = Operation::kIntroduce;
  uint64_t sequence_ = 0;
  Nanos deadline_ns_ = 0;
  std::optional<Pong> pong_;
  bool introduced_ = false;
  bool wire_over_ = false;  // finished, or broken: not to be touched again
  bool announced_ = false;
  std::optional<uint32_t> dead_;
  Nanos last_beat_ns_ = 0;
};

}  // namespace mlps::world
