#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "benchmarks/kvcache/rank_trial.hpp"
#include "benchmarks/kvcache/task.hpp"

namespace mlps::kvcache {

/// The simulation of one rank in one trial: its users, its queue, the requests in service, and where its entries are.
/// Users are events, and requests in service are coroutines; there is no thread, no clock and no I/O in it: whoever
/// drives it says what time it is and which operations have completed. With the same seed users send the same
/// requests, whatever the storage does; with the same completions everything is the same. Used by one thread.
class Engine {
 public:
  struct Limits {
    std::array<uint64_t, kTiers> bytes{};  ///< as Tiers takes them
  };
  Engine(const Settings& settings, const OptionPlan& option, uint64_t seed, Limits limits, EntryIo& io);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// The window begins: users begin to think.
  void begin(Nanos now);
  /// Carries out all that is due until `now`.
  void advance(Nanos now);
  /// Returns when something is due next, without any completion; INT64_MAX: nothing.
  Nanos next_event() const;
  /// An operation has completed, at op.completed_ns.
  void complete(EntryOp& op);

  /// The window ends: nothing more begins.
  void close() { closed_ = true; }
  /// Takes the bytes of an operation that was given up, or completed after the window.
  void complete_late(const EntryOp& op);
  /// Returns what was counted. After close(), when no operation is under way any more.
  RankTrial finish();

  /// Returns whether more requests wait than may.
  bool is_overrun() const { return waiting() > settings_.max_queue; }
  uint64_t waiting() const { return queues_[0].size() + queues_[1].size() + queues_[2].size(); }
  uint64_t in_service() const { return in_service_; }
  const RankTrial& counted() const { return trial_; }

  /// Returns the names of all entries that are stored in a tier, or may be: those being written or removed, too.
  std::vector<EntryName> stored(Tier tier) const;

 private:
  struct Queued {
    Request request;
    Nanos made_ns = 0;
  };
  struct Event {
    Nanos due = 0;
    uint64_t order = 0;
    uint32_t user = 0;               ///< who sends a request,
    std::coroutine_handle<> waiter;  ///< or which activity goes on
    bool operator>(const Event& other) const { return std::pair(due, order) > std::pair(other.due, other.order); }
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
  struct Suspended;
  struct Operation;
  struct Sleep;

  void schedule(Nanos due, uint32_t user, std::coroutine_handle<> waiter);
  void schedule_arrival();
  void send(uint32_t user);
  void dispatch();
  void reap();
  void resume(std::coroutine_handle<> waiter);

  Task<void> serve(Queued queued, size_t slot);
  Task<Nanos> read_earlier_turns(Request request);
  Task<Nanos> decode(Request request, bool is_system, Served& served, Nanos made_ns);
  Task<ReadOutcome> read(EntryKey key, bool decodes);
  Task<Nanos> allocate(EntryKey key, uint32_t tokens, uint32_t rewrite);
  Task<void> make_room(std::vector<Eviction> evictions);
  Task<void> demote(Eviction eviction);
  Task<void> move(EntryOp& op);
  bool detect_prefix(const Request& request, uint32_t& context);

  void account(const EntryOp& op);
  void pin(Tier tier, const EntryName& entry) { ++pins_[{tier, entry}]; }
  void unpin(Tier tier, const EntryName& entry);
  void drop(Tier tier, const EntryName& entry);

  const Settings settings_;
  const OptionPlan option_;
  const uint64_t seed_;
  EntryIo& io_;
  Tiers tiers_;
  RankTrial trial_;
  std::vector<User> users_;
  Random arrivals_;
  Conversations conversations_;
  std::array<std::deque<Queued>, kClasses> queues_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  uint64_t order_ = 0;
  Nanos now_ = 0;
  bool closed_ = false;

  std::vector<std::optional<Task<void>>> slots_;  // requests in service
  std::vector<size_t> free_slots_, ended_slots_;
  uint64_t in_service_ = 0;
  uint32_t allocating_ = 0;
  std::deque<std::coroutine_handle<>> waiting_to_allocate_;
  std::map<EntryKey, std::vector<std::coroutine_handle<>>> waiting_for_move_;
  std::map<Pin, uint32_t> pins_;  // being read
  std::set<Pin> doomed_;          // to be removed once nobody reads them
  std::set<Pin> writing_;         // being written
  uint32_t rewrites_ = 0;
};

}  // namespace mlps::kvcache
