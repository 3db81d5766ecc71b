#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "benchmarks/kvcache/users.hpp"

/// Where the entries of one rank are: three tiers with limits, and the order in which entries leave them. Bookkeeping
/// only; whoever uses it moves the bytes.
namespace mlps::kvcache {

enum class Tier : uint8_t { kGpu, kCpu, kStorage };
inline constexpr size_t kTiers = 3;
inline constexpr std::array<std::string_view, kTiers> kTierNames = {"gpu", "cpu", "storage"};

// Of mlpstorage 3.0, which has no setting for them.
inline constexpr double kEmptyShare = 0.05;  ///< a tier less used than this takes anything
inline constexpr double kSparseShare = 0.2;  ///< a tier with less in entries refuses what is over half its target
inline constexpr uint64_t kSpareEvictions = 100;

struct Entry {
  uint64_t bytes = 0;
  Tier tier = Tier::kStorage;
  uint64_t last_access = 0;  ///< a count of accesses of all entries, so no two are alike
  uint32_t access_count = 0;
  uint32_t rewrite = 0;  ///< see EntryName
  bool moving = false;   ///< on its way to `tier`
};

/// One act by which room is made: an entry moves down a tier, or leaves the last one.
struct Eviction {
  EntryKey key;
  uint32_t rewrite = 0;
  Tier from = Tier::kStorage;
  std::optional<Tier> to;  ///< nothing: it is dropped
  uint64_t bytes = 0;
};

class Tiers {
 public:
  /// Limits in bytes; 0 for a tier that isn't there, kUnlimited for storage without a limit.
  static constexpr uint64_t kUnlimited = UINT64_MAX;
  explicit Tiers(std::array<uint64_t, kTiers> limits, EvictionRules rules = {}) : limits_(limits), rules_(rules) {}

  /// Finds room for `bytes`, in the fastest tier that takes them, and reserves it. What has to leave is booked as
  /// having left, and appended to `evictions` in the order in which it has to be done.
  Tier reserve(uint64_t bytes, std::vector<Eviction>& evictions);
  /// Gives a reservation back that came to nothing.
  void release(Tier tier, uint64_t bytes) { used_[index(tier)] -= bytes; }
  /// A reservation has become an entry. The key must be new.
  Entry& add(const EntryKey& key, uint32_t rewrite, Tier tier, uint64_t bytes);
  /// Returns an entry, or nullptr.
  Entry* find(const EntryKey& key);
  /// An entry that doesn't move leaves.
  void remove(const EntryKey& key);
  /// Counts an access.
  void touch(const EntryKey& key, Entry& entry);
  /// An entry that moved has arrived.
  void settle(Entry& entry) { entry.moving = false; }

  const std::map<EntryKey, Entry>& entries() const { return entries_; }
  uint64_t used(Tier tier) const { return used_[index(tier)]; }
  uint64_t entries_in(Tier tier) const { return order_[index(tier)].size(); }
  uint64_t limit(Tier tier) const { return limits_[index(tier)]; }
  uint64_t evictions() const { return evictions_; }

 private:
  static constexpr size_t index(Tier tier) { return static_cast<size_t>(tier); }
  struct Place {
    uint64_t last_access;
    uint32_t access_count;
    EntryKey key;
    auto operator<=>(const Place&) const = default;
  };
  static Place place_of(const EntryKey& key, const Entry& entry) {
    return {entry.last_access, entry.access_count, key};
  }

  bool ensure(Tier tier, uint64_t bytes, uint32_t depth, std::vector<Eviction>& evictions);
  bool evict_one(Tier tier, uint32_t depth, std::vector<Eviction>& evictions);
  std::optional<Tier> next_below(Tier tier) const;

  const std::array<uint64_t, kTiers> limits_;
  const EvictionRules rules_;
  std::array<uint64_t, kTiers> used_{};      // entries and reservations
  std::array<uint64_t, kTiers> resident_{};  // entries alone
  std::array<std::set<Place>, kTiers> order_;
  std::map<EntryKey, Entry> entries_;
  uint64_t clock_ = 0, evictions_ = 0;
};

}  // namespace mlps::kvcache
