#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "benchmarks/kvcache/simulation.hpp"
#include "benchmarks/kvcache/tiers.hpp"
#include "benchmarks/kvcache/workload.hpp"

namespace mlps::kvcache {

/// A simulation whose whole entries are in tiers: writes and reads them, and makes room for them. An entry that
/// somebody reads stays where it is until it has been read, even if it has left the books.
class EntrySimulation : public Simulation {
 public:
  RankTrial finish() override;

 protected:
  struct ReadOutcome {
    bool hit = false;
    Nanos total_ns = 0;
    uint64_t bytes = 0;
  };
  EntrySimulation(const Settings& settings, const OptionPlan& option, std::array<uint64_t, kTiers> limits, EntryIo& io);

  /// Reads an entry, from where it is.
  Task<ReadOutcome> read(EntryKey key);
  /// Writes an entry, once one of the option's places for that is free. One that is there, or being written, is left
  /// as it is.
  Task<Nanos> allocate(EntryKey key, uint32_t tokens, uint32_t rewrite);
  /// Likewise, without a place.
  Task<Nanos> write(EntryKey key, uint32_t tokens, uint32_t rewrite);
  /// Removes an entry, once it doesn't move; not there: nothing happens.
  Task<void> erase(EntryKey key);

  const Settings settings_;
  const OptionPlan option_;

 private:
  struct Pin {
    Tier tier;
    EntryName entry;
    auto operator<=>(const Pin&) const = default;
  };
  Task<void> at_rest(EntryKey key);
  Task<void> make_room(std::vector<Eviction> evictions);
  Task<void> demote(Eviction eviction);
  Task<void> move(EntryOp& op);
  void pin(Tier tier, const EntryName& entry) { ++pins_[{tier, entry}]; }
  void unpin(Tier tier, const EntryName& entry);
  void drop(Tier tier, const EntryName& entry);

  Tiers tiers_;
  std::set<EntryKey> being_written_;
  uint32_t allocating_ = 0;
  std::deque<std::coroutine_handle<>> waiting_to_allocate_;
  std::map<EntryKey, std::vector<std::coroutine_handle<>>> waiting_for_move_;
  std::map<Pin, uint32_t> pins_;  // being read
  std::set<Pin> doomed_;          // to be removed once nobody reads them
};

}  // namespace mlps::kvcache
