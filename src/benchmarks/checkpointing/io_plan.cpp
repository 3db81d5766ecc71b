#include "benchmarks/checkpointing/io_plan.hpp"

#include <algorithm>

namespace mlps::checkpointing {
namespace {

constexpr uint32_t kMinInFlight = 16;
constexpr uint32_t kMaxInFlight = 64;
/// Threads that each copy one part from or to the page cache: more only take turns, and their buffers push one another
/// out of the processor's caches.
constexpr uint64_t kCopyingPerCore = 2;
constexpr uint64_t kLeastCopying = 4;

// The largest part any object of the plan will really have; stores may grow parts (S3: 10,000 parts at most).
uint64_t largest_part(const CheckpointPlan& plan, storage::Store& store, uint64_t wanted) {
  uint64_t largest = 1;
  uint64_t seen_size = 0;
  for (const RankPlan& rank : plan.ranks) {
    for (const PlannedObject& planned : rank.objects) {
      if (planned.size_bytes <= seen_size) continue;  // part size never shrinks as objects grow
      seen_size = planned.size_bytes;
      const auto object = store.object({planned.name, planned.size_bytes, wanted, {}});
      largest = std::max(largest, std::min(object->part_bytes(), planned.size_bytes));
    }
  }
  return io::buffer_bytes_for(largest, store.traits());
}

}  // namespace

Result<IoPlan> plan_io(const CheckpointPlan& plan, storage::Store& store, const io::PlanRequest& request) {
  io::PlanWish wish;
  wish.in_flight = std::clamp<uint64_t>(uint64_t{2} * plan.processes, kMinInFlight, kMaxInFlight);
  wish.null_workers = request.cores;
  const storage::StoreTraits traits = store.traits();
  const bool copies = traits.blocking && traits.buffer_alignment == 1;
  if (copies) wish.most_workers = std::max(kLeastCopying, kCopyingPerCore * request.cores);
  wish.part_bytes = largest_part(plan, store, request.part_bytes);
  return io::choose_plan(request, wish, traits);
}

}  // namespace mlps::checkpointing
