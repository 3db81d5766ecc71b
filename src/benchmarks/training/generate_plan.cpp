#include <algorithm>

#include "benchmarks/training/generate.hpp"
#include "io/plan.hpp"

namespace mlps::training {
namespace {

// --num-processes is the number of parallel generators. DLIO's writes one file at a time each, so that many
// files or parts are wanted in flight here; never fewer than what one host takes to be busy. Every host gets the same,
// rounded up: one plan is printed for all.
constexpr uint32_t kMinInFlight = 16;
constexpr uint32_t kMaxInFlight = 1024;
// With O_DIRECT a thread per core could have as many parts in flight, but of few files: writing more files at once is
// faster (two cores, ext4: by a fifth).
constexpr uint32_t kLeastFilesAtOnce = 8;
constexpr uint64_t kFilesSampledForPlan = 4096;
// Sides are drawn from a normal distribution: among 4,096 files the largest side is about 3.5 deviations over the mean,
// and no draw of a double goes over 9. Squared, that is less than this factor in bytes.
constexpr uint64_t kUnseenGrowth = 8;

/// Of a host.
uint64_t share_of(uint64_t all, uint32_t hosts) {
  return (all + hosts - 1) / hosts;
}

/// The largest part a file of that size will really have: stores may grow parts.
uint64_t largest_part(uint64_t file_bytes, storage::Store& store, uint64_t wanted) {
  const auto object = store.object({"largest", file_bytes, wanted, {}});
  return io::buffer_bytes_for(std::min(object->part_bytes(), file_bytes), store.traits());
}

}  // namespace

uint64_t largest_file_bytes(const Dataset& set) {
  uint64_t largest = 0;
  const uint64_t sampled = std::min(set.files(), set.sizes_vary() ? kFilesSampledForPlan : 1);
  for (uint64_t index = 0; index < sampled; ++index) largest = std::max(largest, set.file_bytes(index));
  return sampled < set.files() && set.sizes_vary() ? largest * kUnseenGrowth : largest;
}

Result<WritePlan> plan_writes(const Dataset& train, const Dataset& eval, storage::Store& store,
                              const WriteRequest& request) {
  const uint64_t part_bytes =
      largest_part(std::max(largest_file_bytes(train), largest_file_bytes(eval)), store, request.part_bytes);
  io::PlanWish wish;
  wish.in_flight = std::clamp<uint64_t>(share_of(request.processes, request.hosts), kMinInFlight, kMaxInFlight);
  wish.most_workers = share_of(train.files() + eval.files(), request.hosts);  // one I/O thread writes a file
  wish.null_workers = std::max(1U, request.cores);
  wish.part_bytes = part_bytes;
  const storage::StoreTraits traits = store.traits();
  const uint32_t threads = traits.file_system && !traits.blocking ? kLeastFilesAtOnce : 1;
  return io::choose_plan(
      {request.workers, request.depth, part_bytes, request.memory_bytes, std::max(threads, request.cores)}, wish,
      traits);
}

}  // namespace mlps::training
