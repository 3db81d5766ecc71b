#include "benchmarks/kvcache/tiers.hpp"

#include <algorithm>

namespace mlps::kvcache {
namespace {

uint64_t share_of(uint64_t limit, double share) {
  return static_cast<uint64_t>(static_cast<double>(limit) * share);
}

}  // namespace

Tier Tiers::reserve(uint64_t bytes, std::vector<Eviction>& evictions) {
  for (const Tier tier : {Tier::kGpu, Tier::kCpu, Tier::kStorage}) {
    if (limit(tier) != 0 && ensure(tier, bytes, 0, evictions)) return tier;
  }
  used_[index(Tier::kStorage)] += bytes;  // every tier refused: storage has to take it
  return Tier::kStorage;
}

bool Tiers::ensure(Tier tier, uint64_t bytes, uint32_t depth, std::vector<Eviction>& evictions) {
  if (depth > rules_.most_depth) return false;
  const uint64_t limit = limits_[index(tier)];
  uint64_t& used = used_[index(tier)];
  const bool last = tier == Tier::kStorage;
  const auto take = [&] {
    used += bytes;
    return true;
  };
  if (limit == kUnlimited) return take();
  if (!last && bytes > share_of(limit, rules_.largest_share)) return false;
  const uint64_t target = last ? limit : share_of(limit, rules_.target_share);
  if (used + bytes <= target || used < share_of(limit, kEmptyShare)) return take();
  const bool sparse = resident_[index(tier)] < share_of(limit, kSparseShare) && bytes > target / 2;
  if (!last && sparse) return false;
  uint64_t left = std::min(rules_.most, std::max(rules_.least, entries_in(tier) + kSpareEvictions));
  while (used + bytes > target) {
    if (left-- == 0 || !evict_one(tier, depth, evictions)) return last && take();
  }
  return take();
}

/// Moves the entry that was used longest ago out of a tier; false if none can leave.
bool Tiers::evict_one(Tier tier, uint32_t depth, std::vector<Eviction>& evictions) {
  auto& order = order_[index(tier)];
  const auto victim =
      std::find_if(order.begin(), order.end(), [&](const Place& place) { return !entries_.at(place.key).moving; });
  if (victim == order.end()) return false;
  const EntryKey key = victim->key;
  const uint64_t bytes = entries_.at(key).bytes;
  const auto below = next_below(tier);
  if (below && !ensure(*below, bytes, depth + 1, evictions)) return false;
  Entry& entry = entries_.at(key);
  order.erase(place_of(key, entry));
  used_[index(tier)] -= bytes;
  resident_[index(tier)] -= bytes;
  evictions.push_back({key, entry.rewrite, tier, below, bytes});
  ++evictions_;
  if (!below) {
    entries_.erase(key);
    return true;
  }
  entry.tier = *below;
  entry.moving = true;
  resident_[index(*below)] += bytes;
  order_[index(*below)].insert(place_of(key, entry));
  return true;
}

std::optional<Tier> Tiers::next_below(Tier tier) const {
  if (tier == Tier::kStorage) return std::nullopt;
  return tier == Tier::kGpu && limit(Tier::kCpu) != 0 ? Tier::kCpu : Tier::kStorage;
}

Entry& Tiers::add(const EntryKey& key, uint32_t rewrite, Tier tier, uint64_t bytes) {
  Entry& entry = entries_[key];
  entry.rewrite = rewrite;
  entry.bytes = bytes;
  entry.tier = tier;
  entry.last_access = ++clock_;
  entry.access_count = 1;
  resident_[index(tier)] += bytes;
  order_[index(tier)].insert(place_of(key, entry));
  return entry;
}

Entry* Tiers::find(const EntryKey& key) {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Tiers::remove(const EntryKey& key) {
  const auto found = entries_.find(key);
  const Entry& entry = found->second;
  order_[index(entry.tier)].erase(place_of(key, entry));
  used_[index(entry.tier)] -= entry.bytes;
  resident_[index(entry.tier)] -= entry.bytes;
  entries_.erase(found);
}

void Tiers::touch(const EntryKey& key, Entry& entry) {
  auto& order = order_[index(entry.tier)];
  order.erase(place_of(key, entry));
  entry.last_access = ++clock_;
  ++entry.access_count;
  order.insert(place_of(key, entry));
}

}  // namespace mlps::kvcache
