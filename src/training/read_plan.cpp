#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/units.hpp"
#include "training/run.hpp"
#include "training/stream.hpp"

namespace mlps::training {
namespace {

constexpr uint32_t kMaxWorkers = 4096;
constexpr uint32_t kMaxDepth = 4096;
/// Reads in flight on a host where the user says nothing: enough for the latency of a remote store, few enough for its
/// patience and our sockets.
constexpr uint64_t kLeastInFlight = 16;
constexpr uint64_t kMostInFlight = 256;
/// Threads that each block in one read; beyond this they cost more in switching than they bring.
constexpr uint64_t kMostBlocking = 64;
constexpr uint64_t kNullDepth = 32;
constexpr uint64_t kPage = 4096;

uint64_t round_up(uint64_t value, uint64_t step) {
  return (value + step - 1) / step * step;
}

Error refused(const char* flag, uint64_t value, const std::string& why, const std::string& legal) {
  return {ErrorCode::kConfigInvalid, fmt::format("{} {} can't be honoured: {}", flag, value, why), {}, legal};
}

Status check_request(const ReadRequest& request, const storage::StoreTraits& traits) {
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
  return {};
}

struct ExtentSizes {
  double mean = 0;
  uint64_t largest = 0;
};

/// Of the first file; where sizes vary the largest is not known without asking every file, so a part is as large as
/// the user allows.
ExtentSizes extent_sizes(const Dataset& dataset) {
  const formats::Format& format = dataset.format();
  const formats::FileShape shape = dataset.shape(0);
  ExtentSizes sizes;
  for (uint32_t i = 0; i < format.extent_count(); ++i) {
    const uint64_t bytes = format.extent(shape, i).bytes;
    sizes.mean += static_cast<double>(bytes) / format.extent_count();
    sizes.largest = std::max(sizes.largest, bytes);
  }
  if (dataset.sizes_vary()) {
    sizes.mean *= dataset.mean_file_bytes() / static_cast<double>(std::max<uint64_t>(dataset.file_bytes(0), 1));
    sizes.largest = UINT64_MAX;
  }
  return sizes;
}

/// Workers and depth for `wanted` reads in flight, of which the memory allows `affordable`.
void spread(ReadPlan& plan, const ReadRequest& request, const storage::StoreTraits& traits, uint64_t wanted,
            uint64_t affordable) {
  if (!traits.holds_objects) {
    plan.workers = request.workers.value_or(1);
    plan.depth =
        request.depth.value_or(static_cast<uint32_t>(std::clamp<uint64_t>(affordable / plan.workers, 1, kNullDepth)));
  } else if (traits.blocking) {
    const uint64_t most = std::min({wanted, affordable, kMostBlocking});
    plan.workers = request.workers.value_or(static_cast<uint32_t>(most));
    plan.depth = 1;
    if (!request.workers) plan.least_workers = std::min(request.cores, plan.workers);
  } else {
    const uint64_t in_flight = std::min(wanted, affordable);
    const uint64_t most_workers = request.depth ? std::max<uint64_t>(1, affordable / *request.depth) : in_flight;
    plan.workers = request.workers.value_or(static_cast<uint32_t>(std::min<uint64_t>(request.cores, most_workers)));
    plan.depth = request.depth.value_or(static_cast<uint32_t>(std::max<uint64_t>(1, in_flight / plan.workers)));
  }
}

/// How far an accelerator reads ahead: read_threads x prefetch_size batches, as far as the byte limit goes.
void plan_read_ahead(ReadPlan& plan, const workloads::TrainingWorkload& workload, const ExtentMap& map,
                     uint64_t limit_bytes) {
  const workloads::ReaderSettings& reader = workload.reader;
  plan.read_ahead_batches = uint64_t{reader.read_threads} * reader.prefetch_size;
  // One batch at least: what is read while the one before is computed on.
  const uint64_t batch_extents = plan.read_ahead_batches == 0 ? 0 : map.tickets_for(reader.batch_size);
  const auto by_bytes = static_cast<uint64_t>(static_cast<double>(limit_bytes) / std::max(plan.mean_extent_bytes, 1.0));
  const uint64_t by_batches = map.tickets_for(plan.read_ahead_batches * reader.batch_size);
  plan.read_ahead_extents = std::max(batch_extents, std::min(by_bytes, by_batches));
  plan.read_ahead_bytes = static_cast<uint64_t>(static_cast<double>(plan.read_ahead_extents) * plan.mean_extent_bytes);
  plan.in_flight =
      static_cast<uint32_t>(std::min<uint64_t>(plan.read_ahead_extents + map.tickets_for(reader.batch_size),
                                               uint64_t{reader.read_threads} * reader.prefetch_window));
}

}  // namespace

Result<ReadPlan> plan_reads(const workloads::TrainingWorkload& workload, const RunPlan& run, const Dataset& dataset,
                            storage::Store& store, const ReadRequest& request) {
  const storage::StoreTraits traits = store.traits();
  if (Status legal = check_request(request, traits); !legal) return fail(std::move(legal.error()));
  if (workload.reader.preprocess_time.kind != workloads::TimeDistribution::Kind::kNone) {
    return fail(ErrorCode::kNotImplemented, "reader.preprocess_time is not emulated by this build", {},
                "leave it out; no workload of the suite has it");
  }
  const ExtentSizes sizes = extent_sizes(dataset);
  const ExtentMap map(dataset.format(), dataset.samples_per_file());
  ReadPlan plan;
  plan.budget_bytes = request.memory_bytes;
  plan.buffers = traits.holds_objects || request.verify;
  plan.extents_per_file = map.extents_per_file();
  plan.mean_extent_bytes = sizes.mean;
  // An extent that begins or ends inside a block is read from block to block.
  const uint64_t unit = std::max<uint64_t>(kPage, traits.buffer_alignment);
  const uint64_t slack = traits.buffer_alignment > 1 ? 2 * unit : 0;
  plan.part_bytes =
      round_up(std::min(request.part_bytes, sizes.largest == UINT64_MAX ? UINT64_MAX : sizes.largest + slack), unit);

  const uint64_t affordable = plan.buffers ? plan.budget_bytes / plan.part_bytes : kMostInFlight;
  if (affordable == 0) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("--io-memory {} doesn't hold one read of {}", human_bytes(plan.budget_bytes),
                            human_bytes(plan.part_bytes)),
                {}, "raise --io-memory or lower --io-part-size");
  }
  plan_read_ahead(plan, workload, map, request.read_ahead_bytes);
  const uint64_t wanted =
      std::clamp<uint64_t>(uint64_t{run.accelerators} * workload.reader.read_threads, kLeastInFlight, kMostInFlight);
  spread(plan, request, traits, wanted, affordable);
  if (plan.least_workers == 0) plan.least_workers = plan.workers;
  if (plan.buffer_bytes() > plan.budget_bytes) {
    return fail(
        ErrorCode::kConfigInvalid,
        fmt::format("{} workers x {} in flight x {} per read = {} of buffers, over --io-memory {}", plan.workers,
                    plan.depth, human_bytes(plan.part_bytes), human_bytes(plan.buffer_bytes()),
                    human_bytes(plan.budget_bytes)),
        {}, fmt::format("at most {} reads fit: lower --io-workers or --io-depth, or raise --io-memory", affordable));
  }
  return plan;
}

}  // namespace mlps::training
