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
  const Nanos due = due_ns_.load(std::memory_order_relaxed);
  const Nanos lost = lost_.until(due, now), stopped = stopped_.until(due, now);
  due_ns_.store(now + kStallTick, std::memory_order_relaxed);
  lost_.ns.store(lost, std::memory_order_relaxed);
  stopped_.ns.store(stopped, std::memory_order_relaxed);
}

}  // namespace mlps
