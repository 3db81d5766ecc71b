#include "io/object_pool.hpp"

#include <algorithm>

#include "io/object_mover.hpp"

namespace mlps::io {

ObjectPool::ObjectPool(world::Failure& failure) : failure_(failure) {}

Result<std::unique_ptr<ObjectPool>> ObjectPool::start(const Settings& settings, storage::Store& store,
                                                      world::Failure& failure, SharedSeries* series) {
  std::unique_ptr<ObjectPool> pool(new ObjectPool(failure));
  const Plan& plan = settings.plan;
  for (uint32_t i = 0; i < plan.workers; ++i) {
    pool->movers_.push_back(
        std::make_unique<ObjectMover>(i, plan.workers, plan.depth, settings.mismatch_hint, failure));
  }
  auto threads = IoThreadPool::start(plan, settings.verify, store, failure, pointers(pool->movers_), series);
  if (!threads) return fail(std::move(threads.error()));
  pool->threads_ = std::move(*threads);
  return pool;
}

ObjectPool::~ObjectPool() {
  if (threads_) stop();
}

void ObjectPool::work_on(PhaseWork& work) {
  for (const auto& mover : movers_) mover->set_work(work);
  stop_work_ = failure_.on_raise([&work] { work.stop(); });
  threads_->begin();
}

void ObjectPool::wait_idle() {
  threads_->wait_idle();
  stop_work_ = {};
}

void ObjectPool::stop() {
  threads_->stop();
  stop_work_ = {};
}

Stats ObjectPool::stats(bool writes) const {
  Stats all;
  for (const auto& mover : movers_) merge(all, mover->stats_of(writes));
  return all;
}

Nanos ObjectPool::idle_ns(const Span& whole) {
  std::vector<Span> spans;
  for (const auto& mover : movers_) {
    const std::vector<Span> more = mover->take_in_flight();
    spans.insert(spans.end(), more.begin(), more.end());
  }
  return uncovered(whole, std::move(spans));
}

Nanos uncovered(const Span& whole, std::vector<Span> spans) {
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  Nanos idle = 0, reached = whole.begin;
  for (const Span& span : spans) {
    idle += std::max<Nanos>(0, std::min(span.begin, whole.end) - reached);
    reached = std::max(reached, std::min(span.end, whole.end));
  }
  return idle + (whole.end - reached);
}

}  // namespace mlps::io
