#include "benchmarks/kvcache/simulation.hpp"

#include <algorithm>

namespace mlps::kvcache {

bool Simulation::step(Nanos until, Nanos now) {
  clock_ = std::max(clock_, now);
  if (closed_ || events_.empty() || events_.top().due > until) {
    now_ = std::max(now_, until);
    return false;
  }
  const Event event = events_.top();
  events_.pop();
  now_ = event.due;
  if (event.waiter) {
    event.waiter.resume();
    went_on();
  } else {
    happened(event.what);
  }
  return true;
}

void Simulation::complete(EntryOp& op) {
  now_ = op.completed_ns;
  op.waiter.resume();
  went_on();
}

void Simulation::complete_late(const EntryOp& op) {
  TierTraffic& of_tier = traffic(op.tier);
  Moved& moved = op.writes ? (op.demotion ? of_tier.demoted_in : of_tier.written)
                           : (op.demotion ? of_tier.demoted_out : of_tier.read);
  moved.inside += op.moved.inside;
  moved.late += op.moved.late;
  trial_.client_wait_s += to_seconds(op.client_ns);
}

void Simulation::account(const EntryOp& op) {
  complete_late(op);
  TierTraffic& of_tier = traffic(op.tier);
  if (op.writes) ++of_tier.offloads;
  (op.writes ? of_tier.whole_written : of_tier.whole_read) += op.bytes;
  const double total_s = to_seconds(op.total_ns);
  if (op.demotion) {
    (op.writes ? of_tier.demotion_write_s : of_tier.demotion_read_s).push_back(total_s);
    return;
  }
  (op.writes ? of_tier.write_s : of_tier.read_s).push_back(total_s);
  if (!op.is_split) return;
  (op.writes ? of_tier.write_device_s : of_tier.read_device_s).push_back(to_seconds(op.device_ns));
  (op.writes ? of_tier.write_host_s : of_tier.read_host_s).push_back(to_seconds(op.host_ns));
}

}  // namespace mlps::kvcache
