#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "benchmarks/kvcache/simulation.hpp"
#include "benchmarks/kvcache/tiers.hpp"
#include "benchmarks/kvcache/workload.hpp"

namespace mlps::kvcache {

/// The simulation with whole entries: users, their queue, the requests in service, and where the entries are. Users are
/// events. With the same seed users send the same requests, whatever the storage does.
class Engine final : public Simulation {
 public:
  struct Limits {
    std::array<uint64_t, kTiers> bytes{};  ///< as Tiers takes them
  };
  Engine(const Settings& settings, const OptionPlan& option, uint64_t seed, Limits limits, EntryIo& io);
  ~Engine() override;

  void begin(Nanos now) override;
  RankTrial finish() override;
  std::optional<Error> problem() const override;
  uint64_t waiting() const override { return queues_[0].size() + queues_[1].size() + queues_[2].size(); }
  uint64_t in_service() const override { return in_service_; }

 private:
  struct Queued {
    Request request;
    Nanos made_ns = 0;
  };
  struct Pin {
    Tier tier;
    EntryName entry;
    auto operator<=>(const Pin&) const = default;
  };
  struct ReadOutcome {
    bool hit = false;
    Nanos total_ns = 0;
  };
  void happened(uint32_t what) override;
  void went_on() override;
  void schedule_arrival();
  void send(uint32_t user);
  void dispatch();
  void reap();

  Task<void> serve(Queued queued, size_t slot);
  Task<Nanos> read_earlier_turns(Request request);
  Task<Nanos> decode(Request request, bool is_system, Served& served, Nanos made_ns);
  Task<ReadOutcome> read(EntryKey key, bool decodes);
  Task<Nanos> allocate(EntryKey key, uint32_t tokens, uint32_t rewrite);
  Task<void> make_room(std::vector<Eviction> evictions);
  Task<void> demote(Eviction eviction);
  Task<void> move(EntryOp& op);
  bool detect_prefix(const Request& request, uint32_t& context);

  void pin(Tier tier, const EntryName& entry) { ++pins_[{tier, entry}]; }
  void unpin(Tier tier, const EntryName& entry);
  void drop(Tier tier, const EntryName& entry);

  const Settings settings_;
  const OptionPlan option_;
  const uint64_t seed_;
  Tiers tiers_;
  std::vector<User> users_;
  Random arrivals_;
  Conversations conversations_;
  std::array<std::deque<Queued>, kClasses> queues_;
  std::vector<std::optional<Task<void>>> slots_;  // requests in service
  std::vector<size_t> free_slots_, ended_slots_;
  uint64_t in_service_ = 0;
  uint32_t allocating_ = 0;
  std::deque<std::coroutine_handle<>> waiting_to_allocate_;
  std::map<EntryKey, std::vector<std::coroutine_handle<>>> waiting_for_move_;
  std::map<Pin, uint32_t> pins_;  // being read
  std::set<Pin> doomed_;          // to be removed once nobody reads them
  uint32_t rewrites_ = 0;
};

}  // namespace mlps::kvcache
