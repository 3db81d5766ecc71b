#pragma once

#include <map>
#include <string>

#include "benchmarks/kvcache/engine.hpp"

namespace mlps::kvcache::test {

/// Storage in virtual time: an operation takes a fixed time and a time per byte. Checks that nothing is read that isn't
/// there, and nothing written twice.
class VirtualIo final : public EntryIo {
 public:
  Nanos fixed_ns = 0;
  Nanos own_ns = 0, others_ns = 0;  ///< until what is due is on its way: the client computes, or others do
  double ns_per_byte = 0;

  void start(EntryOp& op) override {
    const std::string& name = op.name;
    if (!op.writes && !held_[tier(op.tier)].contains(name)) problem("read of absent " + name);
    if (op.writes && held_[tier(op.tier)].contains(name)) problem("second write of " + name);
    due_.emplace(now_ + fixed_ns + static_cast<Nanos>(ns_per_byte * static_cast<double>(op.bytes)), &op);
  }
  void remove(Tier from, const std::string& name) override {
    if (held_[tier(from)].erase(name) == 0) problem("removal of absent " + name);
  }

  /// Lets the engine run from `begin` for `seconds`.
  void run(Simulation& engine, double seconds) {
    const Nanos begin = 1'000'000'000, end = begin + static_cast<Nanos>(seconds * 1e9);
    now_ = begin - 500'000'000;
    engine.prepare(now_);
    while (!engine.is_prepared() && !due_.empty()) complete_first(engine);
    now_ = begin;
    engine.begin(begin);
    for (;;) {
      const Nanos completion = due_.empty() ? INT64_MAX : due_.begin()->first;
      const Nanos next = std::min(completion, engine.next_event());
      if (next > end || engine.is_done()) break;
      now_ = next;
      if (completion <= next) complete_first(engine);
      engine.advance(now_);
      engine.handed_over(now_ + own_ns + others_ns, own_ns);
      engine.look_ahead();
    }
    engine.close();
    for (auto& [due, op] : due_) engine.complete_late(*op);
  }

  /// Returns the bytes of what a tier holds.
  uint64_t held_bytes(Tier of) const {
    uint64_t bytes = 0;
    for (const auto& [name, size] : held_[tier(of)]) bytes += size;
    return bytes;
  }

  std::string problems;
  uint64_t written = 0, read = 0;  ///< bytes of completed operations of the storage tier

 private:
  static size_t tier(Tier tier) { return static_cast<size_t>(tier); }
  void problem(const std::string& text) {
    if (problems.empty()) problems = text;
  }
  void complete_first(Simulation& engine) {
    EntryOp& op = *due_.begin()->second;
    now_ = std::max(now_, due_.begin()->first);
    due_.erase(due_.begin());
    finish(op);
    engine.complete(op);
    engine.advance(now_);
  }
  void finish(EntryOp& op) {
    op.completed_ns = now_;
    op.total_ns = fixed_ns + static_cast<Nanos>(ns_per_byte * static_cast<double>(op.bytes));
    op.moved.inside = op.bytes;
    if (op.writes) held_[tier(op.tier)][op.name] = op.bytes;
    if (op.tier == Tier::kStorage) (op.writes ? written : read) += op.bytes;
  }

  Nanos now_ = 0;
  std::multimap<Nanos, EntryOp*> due_;
  std::array<std::map<std::string, uint64_t>, kTiers> held_;
};

}  // namespace mlps::kvcache::test
