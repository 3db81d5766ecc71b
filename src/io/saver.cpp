#include "io/saver.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace mlps::io {
namespace {

// Saving comes beside the reading of a run, whose buffers have a limit of their own: a small share does.
constexpr uint64_t kBufferBytes = 256 * kMiB;
constexpr uint64_t kInFlight = 16;

Result<Plan> plan_saves(uint64_t largest_bytes, storage::Store& store, uint32_t cores) {
  const auto largest = store.object({"largest", largest_bytes, store.traits().part_bytes, {}});
  PlanWish wish;
  wish.in_flight = kInFlight;
  wish.null_workers = std::max(1U, cores);
  wish.part_bytes = buffer_bytes_for(std::min(largest->part_bytes(), largest_bytes), store.traits());
  return choose_plan({.memory_bytes = kBufferBytes, .cores = std::max(1U, cores)}, wish, store.traits());
}

}  // namespace

Result<std::unique_ptr<Saver>> Saver::open(storage::Store& store, uint64_t largest_bytes, uint32_t cores,
                                           world::Failure& failure) {
  const auto plan = plan_saves(largest_bytes, store, cores);
  if (!plan) return fail(plan.error());
  std::unique_ptr<Saver> saver(new Saver(store, *plan, failure));
  auto pool = ObjectPool::start({*plan, false, {}}, store, failure);
  if (!pool) return fail(std::move(pool.error()));
  saver->pool_ = std::move(*pool);
  return saver;
}

Result<Saver::Saved> Saver::save(const std::vector<Item>& items, uint64_t seed) {
  Saved saved;
  saved.start = Stamp::now();
  if (items.empty()) return saved;
  PhaseWork work(true, fmt::format("write of checkpoint {}", ++saved_), 1);
  for (const Item& item : items) {
    work.queue(0).add(store_.object({item.name, item.size_bytes, plan_.part_bytes, payload::Source(seed, item.name)}));
    saved.bytes += item.size_bytes;
  }
  pool_->work_on(work);
  work.activate(0, now_ns());
  const bool done = work.queue(0).wait_done();
  pool_->wait_idle();
  if (!done) return fail(failure_.first().value_or(Error{ErrorCode::kInternal, "a save was stopped"}));
  saved.idle_ns = pool_->idle_ns({saved.start.monotonic_ns, work.queue(0).end_ns()});
  if (Status flushed = store_.flush(); !flushed) return fail(flushed.error());
  saved.duration_ns = now_ns() - saved.start.monotonic_ns;
  return saved;
}

}  // namespace mlps::io
