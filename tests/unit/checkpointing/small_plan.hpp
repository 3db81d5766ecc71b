#pragma once

#include "../support/memory_store.hpp"
#include "benchmarks/checkpointing/run.hpp"

/// A small plan of checkpoints, and what runs it.
namespace mlps::checkpointing::test {

using mlps::test::MemoryStore;

inline constexpr uint64_t kPart = 1000;

// Ranks of uneven shape: rank r has r % 3 + 1 objects of uneven sizes, some empty, some smaller than a part.
inline CheckpointPlan small_plan(uint32_t ranks, uint32_t writes, uint32_t reads) {
  CheckpointPlan plan;
  plan.model = "llama3-8b";
  plan.processes = ranks;
  plan.checkpoints_to_write = writes;
  plan.checkpoints_to_read = reads;
  for (uint32_t rank = 0; rank < ranks; ++rank) {
    RankPlan mine;
    mine.rank = rank;
    for (uint32_t i = 0; i <= rank % 3; ++i) {
      const uint64_t size = (uint64_t{rank} * 1777 + i * 4999) % 9001;
      mine.objects.push_back({"r" + std::to_string(rank) + "_" + std::to_string(i) + ".pt", size});
      mine.model_bytes += size;
      ++plan.objects_per_checkpoint;
    }
    plan.model_bytes += mine.model_bytes;
    plan.ranks.push_back(std::move(mine));
  }
  return plan;
}

inline RunRequest request_for(const CheckpointPlan& plan, storage::Store& store, uint32_t workers) {
  RunRequest request;
  request.plan = plan;
  request.io = {workers, 1, kPart, workers * kPart};
  request.store = &store;
  request.verify = true;
  request.seed = 42;
  request.invocation_start = Stamp::now();
  return request;
}

inline RunRecord run_on(storage::Store& store, const CheckpointPlan& plan, uint32_t workers = 4) {
  world::World world(plan.processes);
  return run(request_for(plan, store, workers), world);
}

}  // namespace mlps::checkpointing::test
