#include "io/plan.hpp"

#include <fmt/format.h>

#include <tuple>

#include "base/units.hpp"

namespace mlps::io {
namespace {

constexpr uint32_t kMostWorkers = 4096;
constexpr uint32_t kMostDepth = 4096;
constexpr uint64_t kPage = 4096;

tl::unexpected<Error> refused(const char* flag, uint64_t value, const std::string& why, std::string legal) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{} {} can't be honoured: {}", flag, value, why), {},
              std::move(legal));
}

Status check_flags(const PlanRequest& request, const storage::StoreTraits& traits) {
  if (traits.blocking && request.depth.value_or(1) != 1) {
    return refused("--io-depth", *request.depth,
                   fmt::format("the {} backend has one operation in flight per worker", traits.backend),
                   "leave --io-depth out and set --io-workers");
  }
  for (const auto& [flag, value, most] : {std::tuple{"--io-workers", request.workers, kMostWorkers},
                                          std::tuple{"--io-depth", request.depth, kMostDepth}}) {
    if (value && (*value == 0 || *value > most)) {
      return refused(flag, *value, "out of range", fmt::format("legal values are 1 to {}", most));
    }
  }
  return {};
}

uint32_t narrow(uint64_t value) {
  return static_cast<uint32_t>(std::max<uint64_t>(1, value));
}

Plan choose(const PlanRequest& request, const PlanWish& wish, const storage::StoreTraits& traits, uint64_t affordable) {
  const uint64_t in_flight = std::min(wish.in_flight, affordable);
  Plan chosen;
  chosen.part_bytes = wish.part_bytes;
  chosen.budget_bytes = request.memory_bytes;
  chosen.buffers = wish.buffers;
  if (!traits.holds_objects) {
    chosen.workers =
        request.workers.value_or(narrow(std::min<uint64_t>({wish.null_workers, affordable, wish.most_workers})));
    chosen.depth = request.depth.value_or(narrow(std::min<uint64_t>(wish.null_depth, affordable / chosen.workers)));
  } else if (traits.blocking) {
    chosen.workers = request.workers.value_or(narrow(std::min(in_flight, wish.most_workers)));
    chosen.depth = 1;
  } else {
    const uint64_t most = request.depth ? std::max<uint64_t>(1, affordable / *request.depth) : in_flight;
    chosen.workers = request.workers.value_or(narrow(std::min<uint64_t>({request.cores, most, wish.most_workers})));
    const uint64_t share = (in_flight + chosen.workers - 1) / chosen.workers;
    chosen.depth = request.depth.value_or(narrow(std::min(share, affordable / chosen.workers)));
  }
  return chosen;
}

}  // namespace

uint64_t buffer_bytes_for(uint64_t bytes, const storage::StoreTraits& traits) {
  const uint64_t unit = std::max<uint64_t>(kPage, traits.buffer_alignment);
  return (std::max<uint64_t>(bytes, 1) + unit - 1) / unit * unit;
}

Result<Plan> choose_plan(const PlanRequest& asked, const PlanWish& wish, const storage::StoreTraits& traits) {
  PlanRequest request = asked;
  request.memory_bytes = std::max(asked.memory_bytes, std::min(asked.spare_bytes, wish.in_flight * wish.part_bytes));
  if (Status legal = check_flags(request, traits); !legal) return fail(std::move(legal.error()));
  const uint64_t affordable = wish.buffers ? request.memory_bytes / wish.part_bytes : UINT64_MAX;
  if (affordable == 0) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("--io-memory {} doesn't hold one part of {}", human_bytes(request.memory_bytes),
                            human_bytes(wish.part_bytes)),
                {}, "raise --io-memory or lower --io-part-size");
  }
  const Plan chosen = choose(request, wish, traits, affordable);
  const uint64_t operations = uint64_t{chosen.workers} * chosen.depth;
  if (operations > affordable) {
    return fail(
        ErrorCode::kConfigInvalid,
        fmt::format("{} workers x {} in flight x {} per part = {} of buffers, over --io-memory {}", chosen.workers,
                    chosen.depth, human_bytes(wish.part_bytes), human_bytes(chosen.buffer_bytes()),
                    human_bytes(request.memory_bytes)),
        {}, fmt::format("at most {} parts fit: lower --io-workers or --io-depth, or raise --io-memory", affordable));
  }
  return chosen;
}

}  // namespace mlps::io
