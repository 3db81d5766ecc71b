#include "io/object_pool.hpp"

#include "io/object_mover.hpp"

namespace mlps::io {

ObjectPool::ObjectPool(world::Failure& failure) : failure_(failure) {}

Result<std::unique_ptr<ObjectPool>> ObjectPool::start(const Settings& settings, storage::Store& store,
                                                      world::Failure& failure) {
  std::unique_ptr<ObjectPool> pool(new ObjectPool(failure));
  const Plan& plan = settings.plan;
  for (uint32_t i = 0; i < plan.workers; ++i) {
    pool->movers_.push_back(
        std::make_unique<ObjectMover>(i, plan.workers, plan.depth, settings.mismatch_hint, failure));
  }
  auto threads = IoThreadPool::start(plan, settings.verify, store, failure, pointers(pool->movers_));
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

}  // namespace mlps::io
