#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/units.hpp"
#include "training/generate.hpp"

namespace mlps::training {
namespace {

// --num-processes is the number of parallel generators. The original's writes one file at a time each, so that many
// files or parts are wanted in flight here; never fewer than what one storage server takes to be busy.
constexpr uint32_t kMinInFlight = 16;
constexpr uint32_t kMaxWorkers = 1024;
constexpr uint32_t kMaxDepth = 1024;
constexpr uint64_t kSampledFiles = 4096;
// Sides are drawn from a normal distribution: among 4,096 files the largest side is about 3.5 deviations over the mean,
// and no draw of a double goes over 9. Squared, that is less than this factor in bytes.
constexpr uint64_t kUnseenGrowth = 8;

uint64_t round_up(uint64_t value, uint64_t step) {
  return (value + step - 1) / step * step;
}

/// No file of the set is larger.
uint64_t size_bound(const Dataset& set) {
  uint64_t largest = 0;
  const uint64_t sampled = std::min(set.files(), set.sizes_vary() ? kSampledFiles : 1);
  for (uint64_t index = 0; index < sampled; ++index) largest = std::max(largest, set.file_bytes(index));
  return sampled < set.files() && set.sizes_vary() ? largest * kUnseenGrowth : largest;
}

/// The largest part a file of that size will really have: stores may grow parts.
uint64_t largest_part(uint64_t file_bytes, storage::Store& store, uint64_t wanted) {
  const auto object = store.object({"largest", file_bytes, wanted, {}});
  const uint64_t part = std::max<uint64_t>(1, std::min(object->part_bytes(), file_bytes));
  return round_up(part, std::max<uint64_t>(4096, store.traits().buffer_alignment));
}

Status check_flags(const storage::StoreTraits& traits, const WriteRequest& request) {
  const auto refused = [](const char* flag, uint64_t value, const std::string& why, std::string legal) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} {} can't be honoured: {}", flag, value, why), {},
                std::move(legal));
  };
  if (traits.blocking && request.depth.value_or(1) != 1) {
    return refused("--io-depth", *request.depth,
                   fmt::format("the {} backend has one operation in flight per worker", traits.backend),
                   "leave --io-depth out and set --io-workers");
  }
  for (const auto& [flag, value, most] :
       {std::tuple{"--io-workers", request.workers, kMaxWorkers}, std::tuple{"--io-depth", request.depth, kMaxDepth}}) {
    if (value && (*value == 0 || *value > most)) {
      return refused(flag, *value, "out of range", fmt::format("legal values are 1 to {}", most));
    }
  }
  return {};
}

/// Workers and depth for `affordable` parts in flight; a file is one worker's.
void choose(WritePlan& plan, const storage::StoreTraits& traits, const WriteRequest& request, uint64_t files,
            uint64_t affordable) {
  const auto narrow = [](uint64_t value) { return static_cast<uint32_t>(std::max<uint64_t>(1, value)); };
  const uint64_t wanted = std::clamp<uint64_t>(request.processes, kMinInFlight, kMaxWorkers);
  const uint64_t in_flight = std::min(wanted, affordable);
  const uint64_t cores = std::max(1U, request.cores);
  if (!traits.holds_objects) {
    plan.workers = request.workers.value_or(narrow(std::min({cores, affordable, files})));
    plan.depth = request.depth.value_or(1);
  } else if (traits.blocking) {
    plan.workers = request.workers.value_or(narrow(std::min(in_flight, files)));
    plan.depth = 1;
  } else {
    const uint64_t most = request.depth ? std::max<uint64_t>(1, affordable / *request.depth) : in_flight;
    plan.workers = request.workers.value_or(narrow(std::min({cores, most, files})));
    const uint64_t share = (in_flight + plan.workers - 1) / plan.workers;
    plan.depth = request.depth.value_or(narrow(std::min(share, affordable / plan.workers)));
  }
}

}  // namespace

Result<WritePlan> plan_writes(const Dataset& train, const Dataset& eval, storage::Store& store,
                              const WriteRequest& request) {
  const storage::StoreTraits traits = store.traits();
  if (Status legal = check_flags(traits, request); !legal) return fail(legal.error());
  WritePlan plan;
  plan.budget_bytes = request.memory_bytes;
  plan.part_bytes = largest_part(std::max(size_bound(train), size_bound(eval)), store, request.part_bytes);
  const uint64_t affordable = plan.budget_bytes / plan.part_bytes;
  if (affordable == 0) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("--io-memory {} doesn't hold one part of {}", human_bytes(plan.budget_bytes),
                            human_bytes(plan.part_bytes)),
                {}, "raise --io-memory or lower --io-part-size");
  }
  choose(plan, traits, request, train.files() + eval.files(), affordable);
  if (plan.buffer_bytes() > plan.budget_bytes) {
    return fail(
        ErrorCode::kConfigInvalid,
        fmt::format("{} workers x {} in flight x {} per part = {} of buffers, over --io-memory {}", plan.workers,
                    plan.depth, human_bytes(plan.part_bytes), human_bytes(plan.buffer_bytes()),
                    human_bytes(plan.budget_bytes)),
        {}, fmt::format("at most {} parts fit: lower --io-workers or --io-depth, or raise --io-memory", affordable));
  }
  return plan;
}

std::string progress_line(const GenerateProgress& progress) {
  std::string line = fmt::format("generate {} of {} files  {} of {}  {:.2f} GiB/s", grouped(progress.files),
                                 grouped(progress.files_total), human_bytes(progress.bytes),
                                 human_bytes(progress.bytes_total), progress.gib_per_s);
  if (progress.bytes > 0 && progress.bytes_total > progress.bytes && progress.seconds > 0) {
    const double left = static_cast<double>(progress.bytes_total - progress.bytes) * progress.seconds /
                        static_cast<double>(progress.bytes);
    line += fmt::format("  {} left", human_seconds(left));
  }
  return line;
}

}  // namespace mlps::training
