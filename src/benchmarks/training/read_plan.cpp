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
/// Of DLIO's readers: how many there are at most where read_threads doesn't say, batches per reader where
/// prefetch_size is 0, and batches that each has ready beside a window.
constexpr uint32_t kMostAutomaticReaders = 8;
constexpr uint64_t kUnsetPrefetch = 2;
constexpr uint64_t kBatchesBehindWindow = 2;

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

/// reader.read_threads as DLIO takes it: 1 stands for as many as the host has processors for.
uint32_t readers_of(const workloads::ReaderSettings& reader, const RunPlan& run, const ReadRequest& request) {
  if (reader.read_threads != 1) return reader.read_threads;
  const uint32_t accelerators = std::max(1U, run.accelerators / std::max(1U, request.hosts));
  return std::clamp(request.cores / accelerators, 1U, kMostAutomaticReaders);
}

/// How far an accelerator reads ahead, as the readers of DLIO do. Those of files give each reader some batches,
/// which it reads one file after another; those of objects, of O_DIRECT and of row groups move a window over the files,
/// with two batches of each reader behind it; that of tfrecords keeps prefetch_size batches.
void plan_read_ahead(ReadPlan& plan, const workloads::TrainingWorkload& workload, const ExtentMap& map,
                     const storage::StoreTraits& traits) {
  const workloads::ReaderSettings& reader = workload.reader;
  const bool has_window =
      workload.dataset.format == workloads::DataFormat::kParquet || !traits.file_system || traits.backend == "direct";
  if (workload.dataset.format == workloads::DataFormat::kTfrecord) {
    plan.read_ahead_batches = reader.prefetch_size;
  } else if (has_window) {
    const uint32_t readers = std::max(1U, plan.readers);
    plan.read_ahead_batches = kBatchesBehindWindow * readers;
    plan.read_ahead_window = uint64_t{readers} * reader.prefetch_window;
  } else if (plan.readers > 0) {
    const uint64_t of_each =
        reader.prefetch_size == 0 ? kUnsetPrefetch : (reader.prefetch_size + plan.readers - 1) / plan.readers;
    plan.read_ahead_batches = of_each * plan.readers;
  }
  plan.read_ahead_extents = map.tickets_for(plan.read_ahead_batches * reader.batch_size) + plan.read_ahead_window;
}

/// Obeys --read-ahead, but for one batch: what is read while the one before is computed on.
void limit_read_ahead(ReadPlan& plan, uint64_t batch_extents, const std::optional<uint64_t>& limit_bytes) {
  if (!limit_bytes) return;
  const double extent_bytes = std::max(plan.mean_extent_bytes, 1.0);
  const auto by_bytes =
      std::max(batch_extents, static_cast<uint64_t>(static_cast<double>(*limit_bytes) / extent_bytes));
  if (by_bytes >= plan.read_ahead_extents) return;
  plan.remarks.push_back(
      fmt::format("--read-ahead {} limits the read-ahead of each accelerator to {} extents; the workload has {}",
                  human_bytes(*limit_bytes), by_bytes, plan.read_ahead_extents));
  plan.read_ahead_extents = by_bytes;
}

/// Says that AU means little where all data of an epoch are asked for in the steps that it leaves out.
void remark_short_epochs(ReadPlan& plan, const workloads::TrainingWorkload& workload, const RunPlan& run,
                         const ExtentMap& map) {
  const uint64_t first = std::max(1U, workload.metric.exclude_start_steps);
  const uint64_t all = map.tickets_for(run.steps_per_epoch * run.batch_size);
  if (map.tickets_for(first * run.batch_size) + plan.read_ahead_extents < all) return;
  plan.remarks.push_back(fmt::format(
      "an epoch of {} steps fits into the read-ahead of {} extents: all of it is asked for in the first {}, which AU "
      "leaves out, so AU says nothing about the storage; take more files, or a smaller --read-ahead",
      run.steps_per_epoch, plan.read_ahead_extents, first == 1 ? "step" : fmt::format("{} steps", first)));
}

/// Says which limit keeps fewer reads in flight than the readers of all accelerators of this host would have.
void remark_in_flight(ReadPlan& plan, const RunPlan& run, uint32_t hosts) {
  const uint64_t here = uint64_t{run.accelerators} / std::max(1U, hosts);
  const uint64_t wanted = std::min<uint64_t>(here * std::max(1U, plan.readers), here * plan.in_flight);
  const uint64_t chosen = uint64_t{plan.workers} * plan.depth;
  if (!plan.buffers || chosen >= wanted) return;
  const bool by_memory = plan.budget_bytes / plan.part_bytes <= chosen;
  plan.remarks.push_back(fmt::format(
      "{} reads are in flight on a host; the {} readers of each accelerator would have {}: {}", chosen, plan.readers,
      wanted, by_memory ? "--io-memory allows no more" : "--io-workers and --io-depth allow more than their defaults"));
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
  plan.readers = readers_of(workload.reader, run, request);
  plan_read_ahead(plan, workload, map, traits);
  const uint64_t batch_extents = map.tickets_for(run.batch_size);
  limit_read_ahead(plan, plan.read_ahead_extents == 0 ? 0 : batch_extents, request.read_ahead_bytes);
  plan.read_ahead_bytes = static_cast<uint64_t>(static_cast<double>(plan.read_ahead_extents) * plan.mean_extent_bytes);
  plan.in_flight = static_cast<uint32_t>(std::min<uint64_t>(
      plan.read_ahead_extents + batch_extents, uint64_t{std::max(1U, plan.readers)} * workload.reader.prefetch_window));
  remark_short_epochs(plan, workload, run, map);

  io::PlanWish wish;
  // Without readers of the loader, those of row groups have a pool of their own, as large as their window.
  const uint64_t each = plan.readers == 0 ? plan.read_ahead_window : plan.readers;
  wish.in_flight = std::clamp<uint64_t>(uint64_t{run.accelerators} * each, kLeastInFlight, kMostInFlight);
  if (traits.blocking) {
    // A thread holds one claim; more threads than claims would take turns, each with cold caches.
    wish.most_workers = std::clamp<uint64_t>(uint64_t{run.accelerators} * plan.in_flight, 1, kMostBlocking);
  }
  wish.null_depth = kNullDepth;
  wish.part_bytes = part_bytes;
  wish.buffers = traits.holds_objects || request.verify;
  const auto chosen = io::choose_plan(request, wish, traits);
  if (!chosen) return fail(chosen.error());
  static_cast<io::Plan&>(plan) = *chosen;
  if (!request.workers && !request.depth) remark_in_flight(plan, run, request.hosts);
  return plan;
}

}  // namespace mlps::training
