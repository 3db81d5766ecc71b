#include "checkpointing/io_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace mlps::checkpointing {
namespace {

constexpr uint32_t kMinInFlight = 16;
constexpr uint32_t kMaxInFlight = 64;
constexpr uint32_t kMaxWorkers = 1024;
constexpr uint32_t kMaxDepth = 1024;

uint64_t round_up(uint64_t value, uint64_t step) {
  return (value + step - 1) / step * step;
}

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
  return round_up(largest, std::max<uint64_t>(4096, store.traits().buffer_alignment));
}

Error refused(const char* flag, uint64_t value, const std::string& why, const std::string& legal) {
  return {ErrorCode::kConfigInvalid, fmt::format("{} {} can't be honoured: {}", flag, value, why), {}, legal};
}

}  // namespace

Result<IoPlan> plan_io(const CheckpointPlan& plan, storage::Store& store, const IoRequest& request) {
  const storage::StoreTraits traits = store.traits();
  IoPlan io;
  io.budget_bytes = request.memory_bytes;
  io.part_bytes = largest_part(plan, store, request.part_bytes);

  const uint64_t affordable = io.budget_bytes / io.part_bytes;
  if (affordable == 0) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("--io-memory {} doesn't hold one part of {}", human_bytes(io.budget_bytes),
                            human_bytes(io.part_bytes)),
                {}, "raise --io-memory or lower --io-part-size");
  }
  if (traits.blocking && request.depth.value_or(1) != 1) {
    return fail(refused("--io-depth", *request.depth,
                        fmt::format("the {} backend has one operation in flight per worker", traits.backend),
                        "leave --io-depth out and set --io-workers"));
  }
  for (const auto& [flag, value, most] :
       {std::tuple{"--io-workers", request.workers, kMaxWorkers}, std::tuple{"--io-depth", request.depth, kMaxDepth}}) {
    if (value && (*value == 0 || *value > most)) {
      return fail(refused(flag, *value, "out of range", fmt::format("legal values are 1 to {}", most)));
    }
  }

  const auto wanted = std::clamp<uint64_t>(uint64_t{2} * plan.processes, kMinInFlight, kMaxInFlight);
  const uint64_t in_flight = std::min(wanted, affordable);
  if (!traits.holds_objects) {
    io.workers = request.workers.value_or(static_cast<uint32_t>(std::min<uint64_t>(request.cores, affordable)));
    io.depth = 1;
  } else if (traits.blocking) {
    io.workers = request.workers.value_or(static_cast<uint32_t>(in_flight));
    io.depth = 1;
  } else {
    const uint64_t most_workers = request.depth ? std::max<uint64_t>(1, affordable / *request.depth) : in_flight;
    io.workers = request.workers.value_or(static_cast<uint32_t>(std::min<uint64_t>(request.cores, most_workers)));
    io.depth = request.depth.value_or(static_cast<uint32_t>(std::max<uint64_t>(1, in_flight / io.workers)));
  }
  if (io.buffer_bytes() > io.budget_bytes) {
    return fail(
        ErrorCode::kConfigInvalid,
        fmt::format("{} workers x {} in flight x {} per part = {} of buffers, over --io-memory {}", io.workers,
                    io.depth, human_bytes(io.part_bytes), human_bytes(io.buffer_bytes()), human_bytes(io.budget_bytes)),
        {}, fmt::format("at most {} parts fit: lower --io-workers or --io-depth, or raise --io-memory", affordable));
  }
  return io;
}

}  // namespace mlps::checkpointing
