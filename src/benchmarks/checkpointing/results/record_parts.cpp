#include "benchmarks/checkpointing/results/record_parts.hpp"

#include "base/units.hpp"
#include "benchmarks/checkpointing/metrics.hpp"
#include "results/fields_json.hpp"
#include "results/redact.hpp"

namespace mlps::results {
namespace {

using checkpointing::CheckpointEvent;
using checkpointing::CheckpointPlan;
using checkpointing::Phase;
using checkpointing::PhaseMetrics;
using checkpointing::PhaseStats;
using checkpointing::RunRecord;

void add_shares(Json& worker_time, const PhaseMetrics& metrics) {
  worker_time["prepare_share"] = metrics.prepare_share;
  worker_time["submit_share"] = metrics.submit_share;
  worker_time["wait_share"] = metrics.wait_share;
  worker_time["starved_share"] = metrics.starved_share;
}

// The numbers that need a completed checkpoint.
Json metrics_json(const PhaseMetrics& metrics) {
  Json json;
  json["original"] = {{"io_mean_gib_per_s", metrics.parity.io_mean_gib_per_s},
                      {"io_stdev_gib_per_s", metrics.parity.io_stdev_gib_per_s},
                      {"duration_mean_s", metrics.parity.duration_mean_s},
                      {"duration_stdev_s", metrics.parity.duration_stdev_s}};
  json["gib_per_s"] = metrics.gib_per_s;
  json["slowest_rank_s"] = metrics.slowest_rank_s;
  json["fastest_rank_s"] = metrics.fastest_rank_s;
  json["barrier_mean_s"] = metrics.barrier_mean_s;
  json["client_share"] = metrics.client_share ? Json(*metrics.client_share) : Json();
  json["harness_overhead_share"] = metrics.harness_overhead;
  json["cpu_s_per_gib"] = metrics.cpu_s_per_gib;
  json["cached_share"] = metrics.cached_share ? Json(*metrics.cached_share) : Json();
  return json;
}

size_t count_events(const RunRecord& record, Phase phase) {
  size_t count = 0;
  for (const CheckpointEvent& event : record.events) count += event.phase == phase ? 1 : 0;
  return count;
}

}  // namespace

const char* payload_mode_name(checkpointing::PayloadMode mode) {
  return mode == checkpointing::PayloadMode::kUnique ? "unique" : "none";
}

const char* grid_name(checkpointing::GridMode grid) {
  return grid == checkpointing::GridMode::kDefault ? "default" : "subset";
}

Json plan_summary_json(const workloads::CheckpointWorkload& workload, const CheckpointPlan& plan,
                       const std::string& mode) {
  Json json;
  json["mode"] = mode;
  json["model"] = plan.model;
  json["parameter_count"] = plan.parameters;
  json["grid"] = grid_name(plan.grid);
  json["processes"] = plan.processes;
  json["closed_processes"] = workload.closed_processes;
  json["parallelism"] = {{"tensor", workload.parallelism.tensor},
                         {"pipeline", workload.parallelism.pipeline},
                         {"data", plan.data_parallel},
                         {"zero_stage", workload.parallelism.zero_stage}};
  json["size_scale"] = plan.size_scale;
  json["checkpoints_to_write"] = plan.checkpoints_to_write;
  json["checkpoints_to_read"] = plan.checkpoints_to_read;
  json["pause_s"] = plan.pause_seconds;
  json["rank_sync"] = plan.rank_sync;
  json["objects_per_checkpoint"] = plan.objects_per_checkpoint;
  json["model_bytes"] = plan.model_bytes;
  json["optimizer_bytes"] = plan.optimizer_bytes;
  json["checkpoint_bytes"] = plan.checkpoint_bytes();
  json["checkpoint_gib"] = to_gib(plan.checkpoint_bytes());
  json["bytes_to_write"] = plan.bytes_to_write();
  json["bytes_to_read"] = plan.bytes_to_read();
  json["capacity_needed_bytes"] = plan.bytes_to_write();
  return json;
}

Json plan_ranks_json(const CheckpointPlan& plan) {
  Json ranks = Json::array();
  for (const checkpointing::RankPlan& rank : plan.ranks) {
    ranks.push_back({{"rank", rank.rank},
                     {"tensor_rank", rank.tensor_rank},
                     {"pipeline_rank", rank.pipeline_rank},
                     {"data_rank", rank.data_rank},
                     {"model_bytes", rank.model_bytes},
                     {"optimizer_bytes", rank.optimizer_bytes},
                     {"total_bytes", rank.total_bytes()},
                     {"objects", value_json(rank.objects, 0)}});
  }
  return ranks;
}

Json io_plan_json(const std::optional<checkpointing::IoPlan>& io) {
  if (!io) return nullptr;
  return {{"workers", io->workers},
          {"depth", io->depth},
          {"part_bytes", io->part_bytes},
          {"buffer_bytes", io->buffer_bytes()},
          {"budget_bytes", io->budget_bytes}};
}

Json phase_json(const RunRecord& record, Phase phase) {
  const bool writing = phase == Phase::kWrite;
  const uint32_t planned = writing ? record.plan.checkpoints_to_write : record.plan.checkpoints_to_read;
  const size_t happened = count_events(record, phase);
  if (planned == 0 && happened == 0) return nullptr;
  const PhaseStats& stats = writing ? record.write : record.read;
  const std::optional<PhaseMetrics> metrics = checkpointing::phase_metrics(record, phase);

  Json json;
  json["checkpoints_planned"] = planned;
  json["checkpoints_done"] = happened;
  json["ended_by"] = run::ended_by_name(writing ? record.write_ended_by : record.read_ended_by);
  json["metrics"] = metrics ? metrics_json(*metrics) : Json();
  add_fields(json, stats);
  rename_key(json["worker_time"], "idle_ns", "starved_ns");
  if (metrics) add_shares(json["worker_time"], *metrics);
  return json;
}

Json events_json(const RunRecord& record) {
  Json events = Json::array();
  const Nanos origin = record.run_start.monotonic_ns;
  for (const CheckpointEvent& event : record.events) {
    Json json;
    json["phase"] = checkpointing::phase_name(event.phase);
    json["checkpoint"] = event.checkpoint;
    json["start_utc"] = iso_utc_us(event.start.wall_us);
    json["start_ns"] = event.start.monotonic_ns - origin;
    json["slowest_ns"] = event.slowest_ns;
    json["client_ns"] = event.client_ns;
    json["cached_before_bytes"] = event.cached_before ? Json(event.cached_before->cached_bytes) : Json();
    json["cached_before_of_bytes"] = event.cached_before ? Json(event.cached_before->total_bytes) : Json();
    json["ranks"] = value_json(event.ranks, origin);
    events.push_back(std::move(json));
  }
  return events;
}

PlanDetails plan_details(const RunContext& context, const RunRecord& record) {
  PlanDetails details;
  details.mode = context.mode;
  details.location = record.location;
  details.payload = record.payload;
  details.verify = record.verify;
  details.store_settings = record.store_settings;
  details.injected_fault = record.injected_fault;
  return details;
}

}  // namespace mlps::results
