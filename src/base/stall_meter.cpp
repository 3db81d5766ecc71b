#include "base/stall_meter.hpp"

#include <utility>

namespace mlps {
namespace {

constexpr Nanos kStallTick = 10'000'000;

}  // namespace

Status StallMeter::start(std::function<void(Error)> on_error) {
  due_ns_.store(now_ns() + kStallTick, std::memory_order_relaxed);
  const auto next = [this] { return due_ns_.load(std::memory_order_relaxed); };
  return thread_.start({"stall meters", {}, std::move(on_error)}, next, [this] { tick(now_ns()); });
}

void StallMeter::tick(Nanos now) {
  const Nanos lost = stall(due_ns_.load(std::memory_order_relaxed), now);
  due_ns_.store(now + kStallTick, std::memory_order_relaxed);
  if (lost > 0) lost_ns_.store(lost_ns_.load(std::memory_order_relaxed) + lost, std::memory_order_relaxed);
}

Nanos StallMeter::lost_ns(Nanos now) const {
  // Other threads may wake from a stall before the meter's does.
  const Nanos due = due_ns_.load(std::memory_order_relaxed);
  return lost_ns_.load(std::memory_order_relaxed) + (due == 0 ? 0 : stall(due, now));
}

}  // namespace mlps
