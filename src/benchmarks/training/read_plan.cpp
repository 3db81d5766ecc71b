#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "benchmarks/training/extent_map.hpp"
#include "benchmarks/training/run.hpp"
#include "io/plan.hpp"

namespace mlps::training {
namespace {

/// Reads in flight on a host where the user says nothing: enough for the latency of a remote store, few enough for its
/// patience and our sockets.
constexpr uint64_t kLeastInFlight = 16;
constexpr uint64_t kMostInFlight = 256;
/// Threads that each block in one read; beyond this they cost more in switching than they bring.
constexpr uint64_t kMostBlocking = 64;
constexpr uint32_t kNullDepth = 32;

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
  if (workload.reader.preprocess_time.kind != workloads::TimeDistribution::Kind::kNone) {
    return fail(ErrorCode::kNotImplemented, "reader.preprocess_time is not emulated by this build", {},
                "leave it out; no workload of the suite has it");
  }
  const ExtentSizes sizes = extent_sizes(dataset);
  const ExtentMap map(dataset.format(), dataset.samples_per_file());
  ReadPlan plan;
  plan.extents_per_file = map.extents_per_file();
  plan.mean_extent_bytes = sizes.mean;
  // An extent that begins or ends inside a block is read from block to block.
  const uint64_t slack = traits.buffer_alignment > 1 ? 2 * traits.buffer_alignment : 0;
  const uint64_t largest = sizes.largest == UINT64_MAX ? UINT64_MAX : sizes.largest + slack;
  const uint64_t part_bytes = io::buffer_bytes_for(std::min(request.part_bytes, largest), traits);
  plan_read_ahead(plan, workload, map, request.read_ahead_bytes);

  io::PlanWish wish;
  wish.in_flight =
      std::clamp<uint64_t>(uint64_t{run.accelerators} * workload.reader.read_threads, kLeastInFlight, kMostInFlight);
  if (traits.blocking) wish.most_workers = kMostBlocking;
  wish.null_depth = kNullDepth;
  wish.part_bytes = part_bytes;
  wish.buffers = traits.holds_objects || request.verify;
  const auto chosen = io::choose_plan(request, wish, traits);
  if (!chosen) return fail(chosen.error());
  static_cast<io::Plan&>(plan) = *chosen;
  return plan;
}

}  // namespace mlps::training
