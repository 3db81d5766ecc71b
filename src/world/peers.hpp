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

/// What a process says of itself first of all.
struct Introduction {
  std::string version;  ///< of program, build and rules: must be the same on every host
  std::string host;
  int64_t pid = 0;
};

/// This process's side of the conversation: collectives made of messages of our own, which unlike MPI's can be given up
/// on; heartbeats; and the failure that all share. For one thread, the courier; calls wait, turning the wire meanwhile.
///
/// Messages go between processes i and i +- 2^k, and between process 0 and the others for clocks and farewells. Those
/// that wait for each other in a collective are also those that watch each other's heartbeats.
class Peers {
 public:
  /// `turned_ns` always tells when the wire was last turned, for others to see that no call of it hangs.
  Peers(std::unique_ptr<Wire> wire, Failure& failure, const LinkLimits& limits, std::atomic<Nanos>& turned_ns);

  uint32_t index() const { return index_; }
  uint32_t size() const { return size_; }
  const std::vector<Member>& members() const { return members_; }

  /// Collective, and the first call: compares versions with process 0's, exchanges names, measures clocks.
  Status introduce(const Introduction& me);

  Status barrier();
  Status broadcast(Bytes& bytes);
  Result<std::vector<Bytes>> gather(Bytes mine);
  Status reduce(Reduction reduction, std::span<double> values);
  Status close(Nanos limit_ns);
  bool lost(uint32_t process) const { return process < size_ && peers_[process].gone; }
  /// Ends the job if it is this process's part to do so; returns otherwise.
  void abort(int exit_status);

  /// Takes what has come, sends what is due, looks for silent peers. True if a message came.
  bool turn();

 private:
  enum class Operation : uint8_t { kIntroduce = 1, kBarrier, kBroadcast, kGather, kReduce, kClose };
  struct Assembly {
    Operation operation{};
    Bytes bytes;
    uint64_t received = 0;
    uint64_t total = 0;
  };
  using Key = std::tuple<uint64_t, uint32_t, uint32_t>;  // sequence, from, round
  struct Peer {
    std::string host;
    Nanos heard_ns = 0;
    bool watched = false;
    bool gone = false;
    bool said_bye = false;
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
  Status everyone();
  Status spread(Bytes& bytes, uint32_t first_round);
  Status collect(Bytes mine, std::vector<Bytes>& all);
  Status put(uint32_t to, uint32_t round, std::string_view bytes);
  Result<Bytes> take(uint32_t from, uint32_t round);
  Status state() const;

  // The first exchange.
  Status judge(const std::vector<Bytes>& introductions, Bytes& table);
  Status learn(const Bytes& table);
  std::optional<ClockOffset> measure(uint32_t peer);

  // Signs of life and of failure.
  void wait_a_turn(Backoff& backoff);
  void handle(const Message& message);
  void keep(uint32_t from, const Packet& packet);
  void answer(uint32_t to, uint64_t number);
  void heartbeat(Nanos now);
  void watch(Nanos now);
  void tell_failure();
  void raise_named(Error error);
  void lose(uint32_t process, const std::string& why);
  void lose_wire(const Error& error);
  void send(uint32_t to, const Packet& packet);
  bool drained() const;
  void farewell(Nanos deadline_ns);
  std::string name(uint32_t process) const;

  std::unique_ptr<Wire> wire_;
  Failure& failure_;
  const LinkLimits limits_;
  std::atomic<Nanos>& turned_ns_;
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
  bool told_ = false;
  std::optional<uint32_t> gone_;
  Nanos last_beat_ns_ = 0;
};

}  // namespace mlps::world
