#include "benchmarks/kvcache/entry_simulation.hpp"

#include <algorithm>

namespace mlps::kvcache {
namespace {

// What a device of today moves over its link (PCIe 5.0 x16, 64 GB/s): the GPU tier is modelled, not measured.
constexpr double kGpuBytesPerNano = 64;

}  // namespace

EntrySimulation::EntrySimulation(const Settings& settings, const OptionPlan& option,
                                 std::array<uint64_t, kTiers> limits, EntryIo& io)
    : Simulation(io), settings_(settings), option_(option), tiers_(limits, settings.tuning.eviction) {
  const uint64_t capacity = limits[static_cast<size_t>(Tier::kStorage)];
  trial_.storage_capacity_bytes = capacity == Tiers::kUnlimited ? 0 : capacity;
}

Task<void> EntrySimulation::move(EntryOp& op) {
  if (op.tier == Tier::kGpu) {
    op.total_ns = static_cast<Nanos>(static_cast<double>(op.bytes) / kGpuBytesPerNano);
    co_await Sleep{*this, op.total_ns};
    op.completed_ns = now_;
    op.moved.inside = op.bytes;
  } else {
    co_await Operation{*this, op};
  }
  account(op);
}

/// Waits while an entry is on its way from one tier to another.
Task<void> EntrySimulation::at_rest(EntryKey key) {
  for (const Entry* entry = tiers_.find(key); entry != nullptr && entry->moving; entry = tiers_.find(key)) {
    auto& waiters = waiting_for_move_[key];
    waiters.emplace_back();
    co_await Suspended{waiters.back()};
  }
}

Task<EntrySimulation::ReadOutcome> EntrySimulation::read(EntryKey key) {
  co_await at_rest(key);
  Entry* const there = tiers_.find(key);
  if (there == nullptr) co_return ReadOutcome{};
  Entry& entry = *there;
  tiers_.touch(key, entry);
  EntryOp op;
  const EntryName name{key, entry.rewrite};
  op.name = name.text();
  op.bytes = entry.bytes;
  op.tier = entry.tier;
  pin(op.tier, name);
  co_await move(op);
  unpin(op.tier, name);
  ++trial_.reads;
  co_return ReadOutcome{true, op.total_ns, op.bytes};
}

Task<Nanos> EntrySimulation::allocate(EntryKey key, uint32_t tokens, uint32_t rewrite) {
  if (option_.max_allocs != 0 && allocating_ >= option_.max_allocs) {
    waiting_to_allocate_.emplace_back();
    co_await Suspended{waiting_to_allocate_.back()};  // whoever frees a place hands it over
  } else {
    ++allocating_;
  }
  const Nanos spent = co_await write(key, tokens, rewrite);
  if (waiting_to_allocate_.empty()) {
    --allocating_;
  } else {
    const std::coroutine_handle<> next = waiting_to_allocate_.front();
    waiting_to_allocate_.pop_front();
    schedule(now_, next);
  }
  co_return spent;
}

Task<Nanos> EntrySimulation::write(EntryKey key, uint32_t tokens, uint32_t rewrite) {
  if (tiers_.find(key) != nullptr || !being_written_.insert(key).second) co_return 0;
  EntryOp op;
  op.name = EntryName{key, rewrite}.text();
  op.bytes = option_.model.entry_bytes(std::max(tokens, 1u), settings_.tensor_parallel);
  op.writes = true;
  std::vector<Eviction> evictions;
  op.tier = tiers_.reserve(op.bytes, evictions);
  if (!evictions.empty()) co_await make_room(std::move(evictions));
  co_await move(op);
  tiers_.add(key, rewrite, op.tier, op.bytes);
  being_written_.erase(key);
  ++trial_.writes;
  co_return op.total_ns;
}

Task<void> EntrySimulation::erase(EntryKey key) {
  co_await at_rest(key);
  const Entry* const entry = tiers_.find(key);
  if (entry == nullptr) co_return;
  const Tier tier = entry->tier;
  const EntryName name{key, entry->rewrite};
  tiers_.remove(key);
  drop(tier, name);
}

/// Moves and drops what has to leave before a new entry comes. What is dropped goes at once: nothing waits for that,
/// and no demotion of the same list is among it.
Task<void> EntrySimulation::make_room(std::vector<Eviction> evictions) {
  for (const Eviction& eviction : evictions) {
    if (!eviction.to) drop(eviction.from, {eviction.key, eviction.rewrite});
  }
  for (const Eviction& eviction : evictions) {
    if (eviction.to) co_await demote(eviction);
  }
}

Task<void> EntrySimulation::demote(Eviction eviction) {
  EntryOp out;
  const EntryName name{eviction.key, eviction.rewrite};
  out.name = name.text();
  out.bytes = eviction.bytes;
  out.tier = eviction.from;
  out.demotion = true;
  EntryOp in = out;
  in.tier = *eviction.to;
  in.writes = true;
  pin(out.tier, name);
  co_await move(out);
  unpin(out.tier, name);
  co_await move(in);
  tiers_.settle(*tiers_.find(eviction.key));
  if (auto waiters = waiting_for_move_.extract(eviction.key)) {
    for (const auto waiter : waiters.mapped()) schedule(now_, waiter);
  }
  drop(out.tier, name);
}

void EntrySimulation::unpin(Tier tier, const EntryName& entry) {
  const auto pinned = pins_.find({tier, entry});
  if (--pinned->second > 0) return;
  pins_.erase(pinned);
  if (doomed_.erase({tier, entry}) > 0 && tier != Tier::kGpu) io_.remove(tier, entry.text());
}

/// Removes an entry from a tier, once nobody reads it there.
void EntrySimulation::drop(Tier tier, const EntryName& entry) {
  if (pins_.contains({tier, entry})) {
    doomed_.insert({tier, entry});
  } else if (tier != Tier::kGpu) {
    io_.remove(tier, entry.text());
  }
}

RankTrial EntrySimulation::finish() {
  const uint64_t per_token = std::max<uint64_t>(1, option_.model.bytes_per_token() / settings_.tensor_parallel);
  for (const Tier tier : {Tier::kGpu, Tier::kCpu, Tier::kStorage}) {
    TierTraffic& of_tier = traffic(tier);
    of_tier.tokens = (of_tier.read.inside + of_tier.written.inside + of_tier.demoted_in.inside) / per_token;
    trial_.entries[static_cast<size_t>(tier)] = tiers_.entries_in(tier);
    trial_.used_bytes[static_cast<size_t>(tier)] = tiers_.used(tier);
  }
  trial_.evictions = tiers_.evictions();
  trial_.waiting = waiting();
  trial_.cut_off = in_service();
  return std::move(trial_);
}

}  // namespace mlps::kvcache
