#include <fmt/format.h>

#include "benchmarks/training/metrics.hpp"
#include "benchmarks/training/results/views.hpp"
#include "results/fields_json.hpp"
#include "results/findings.hpp"
#include "results/record_common.hpp"
#include "results/redact.hpp"

namespace mlps::results {
namespace {

using training::Epoch;
using training::GenerateRecord;
using training::MeanAndDeviation;
using training::RankBlock;
using training::RunRecord;

Json mean_json(const MeanAndDeviation& value) {
  return {{"mean", value.mean}, {"stdev", value.deviation}};
}

Json shares_json(const training::ClientShares& shares) {
  return {{"training", value_json(shares.training, 0)},
          {"evaluation", value_json(shares.evaluation, 0)},
          {"checkpoints", value_json(shares.checkpoints, 0)}};
}

Json metrics_json(const RunRecord& record) {
  if (record.epochs.empty()) return nullptr;
  const training::Metrics metrics = training::metrics_of(record);
  Json json;
  json["au_percent"] = metrics.au;
  json["au"] = mean_json(metrics.au_overall);
  json["au_threshold_percent"] = 100 * record.au_threshold;
  json["train_au_meet_expectation"] = metrics.meets_expectation ? "success" : "fail";
  json["samples_per_s"] = metrics.throughput;
  json["throughput"] = mean_json(metrics.throughput_overall);
  json["nominal_mib_per_s"] = {{"mean", metrics.io_mean_mib_per_s}, {"stdev", metrics.io_deviation_mib_per_s}};
  json["read_bytes_per_s"] = metrics.bytes_read_per_s;
  json["demand_bytes_per_s"] = metrics.demand_bytes_per_s > 0 ? Json(metrics.demand_bytes_per_s) : Json();
  json["served_share"] = metrics.demand_bytes_per_s > 0 ? Json(metrics.served_share) : Json();
  json["compute_share"] = metrics.compute_share;
  json["storage_wait_share"] = metrics.storage_wait_share;
  json["barrier_share"] = metrics.barrier_share;
  json["harness_share"] = metrics.harness_share;
  json["harness_ns_per_step"] = metrics.harness_ns_per_step;
  json["client_share"] = shares_json(metrics.client);
  json["slowest_rank_au_percent"] = metrics.slowest_rank_au;
  json["fastest_rank_au_percent"] = metrics.fastest_rank_au;
  json["eval_au_percent"] = metrics.eval_au;
  json["eval_samples_per_s"] = metrics.eval_throughput;
  json["save_gib_per_s"] = metrics.save_gib_per_s;
  json["save_s"] = metrics.save_seconds;
  return json;
}

Json reading_json(const RunRecord& record) {
  Json json;
  json["bytes"] = record.stats.bytes;
  json["nominal_bytes"] = record.plan.nominal_bytes_per_epoch * static_cast<double>(record.epochs.size());
  add_fields(json, record.stats);
  const io::Times& times = record.stats.times;  // under the names of this schema
  json["worker_time"] = {{"submit_ns", times.submit_ns},
                         {"wait_ns", times.wait_ns},
                         {"verify_ns", times.prepare_ns},
                         {"idle_ns", times.idle_ns},
                         {"other_ns", times.other_ns}};
  return json;
}

Json ranks_json(const std::vector<RankBlock>& ranks, Nanos origin) {
  Json json = Json::array();
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    Json& line = json.push_back({{"rank", rank}});
    add_fields(line, ranks[rank], origin);
  }
  return json;
}

/// Whose time went where it should not: drawn against measured compute, and what the hosts know of it.
Json client_json(const Epoch& epoch) {
  Nanos drawn = 0, measured = 0;
  for (const training::Block& block : epoch.blocks) {
    for (const RankBlock& rank : block.ranks) {
      drawn += rank.drawn_ns;
      measured += rank.compute_ns;
    }
  }
  Json json = {{"share", shares_json(training::client_shares({&epoch, 1}))},
               {"compute_drawn_ns", drawn},
               {"compute_measured_ns", measured},
               {"io_thread_ns", epoch.io_thread_ns},
               {"evaluation", epoch.evaluation ? fields_json(epoch.evaluation->client) : Json()},
               {"processors", fields_json(epoch.pressure)}};
  return json;
}

Json epoch_json(const Epoch& epoch, Nanos origin) {
  Json json;
  json["epoch"] = epoch.number;
  json["start_utc"] = iso_utc_us(epoch.start.wall_us);
  json["duration_s"] = seconds_between(epoch.start, epoch.end);
  json["training_s"] = seconds_between(epoch.start, epoch.trained);
  json["au_percent"] = epoch.au;
  json["samples_per_s"] = epoch.throughput;
  json["training_bytes"] = epoch.training_bytes;
  json["cache"] = value_json(epoch.cache, origin);
  if (epoch.cache) json["cache"]["cached_share"] = value_json(epoch.cache->cached_share(), origin);
  json["blocks"] = Json::array();
  for (const training::Block& block : epoch.blocks) {
    json["blocks"].push_back({{"overhead_ns", block.client.overhead_ns},
                              {"client", fields_json(block.client)},
                              {"ranks", ranks_json(block.ranks, origin)}});
  }
  json["checkpoints"] = Json::array();
  for (const training::SavedCheckpoint& saved : epoch.checkpoints) {
    json["checkpoints"].push_back({{"step", saved.step},
                                   {"start_utc", iso_utc_us(saved.start.wall_us)},
                                   {"duration_ns", saved.duration_ns},
                                   {"bytes", saved.bytes},
                                   {"client_ns", value_json(saved.client_ns, origin)}});
  }
  json["client"] = client_json(epoch);
  json["evaluation"] = epoch.evaluation ? ranks_json(epoch.evaluation->ranks, origin) : Json();
  return json;
}

/// The run second by second; of accelerators as shares of the time of all of them.
Json series_json(const RunRecord& record) {
  Json json = {{"interval_s", record.series.interval_s()},
               {"cached_share", nullptr},
               {"cached_share_is_null_because",
                "the kernel tells what the page cache holds, and not what a read found there; see epochs[].cache"},
               {"intervals", Json::array()}};
  uint64_t second = 0;
  for (const io::Second& interval : record.series.intervals()) {
    const double time = 1e9 * static_cast<double>(record.series.interval_s()) * record.plan.accelerators;
    const auto latency = Histogram::restore(interval.latency).value_or(Histogram());
    const auto percentile = [&](double fraction) {
      return latency.count() == 0 ? Json() : Json(latency.percentile(fraction));
    };
    json["intervals"].push_back({{"s", second},
                                 {"bytes", interval.bytes},
                                 {"reads", interval.operations},
                                 {"retries", interval.retries},
                                 {"latency_p50_ns", percentile(0.5)},
                                 {"latency_p99_ns", percentile(0.99)},
                                 {"compute_share", static_cast<double>(interval.compute_ns) / time},
                                 {"storage_wait_share", static_cast<double>(interval.wait_ns) / time},
                                 {"barrier_share", static_cast<double>(interval.barrier_ns) / time}});
    second += record.series.interval_s();
  }
  return json;
}

}  // namespace

Json run_plan_json(const training::RunPlan& plan) {
  return fields_json(plan);
}

Json read_plan_json(const training::ReadPlan& reads) {
  return {{"workers", reads.workers},
          {"depth", reads.depth},
          {"part_bytes", reads.part_bytes},
          {"buffers", reads.buffers},
          {"buffer_bytes", reads.buffer_bytes()},
          {"budget_bytes", reads.budget_bytes},
          {"extents_per_file", reads.extents_per_file},
          {"mean_extent_bytes", reads.mean_extent_bytes},
          {"readers", reads.readers},
          {"read_ahead_extents", reads.read_ahead_extents},
          {"read_ahead_bytes", reads.read_ahead_bytes},
          {"in_flight", reads.in_flight},
          {"remarks", reads.remarks}};
}

Json write_plan_json(const training::WritePlan& writes) {
  return {{"workers", writes.workers},
          {"depth", writes.depth},
          {"part_bytes", writes.part_bytes},
          {"buffer_bytes", writes.buffer_bytes()},
          {"budget_bytes", writes.budget_bytes}};
}

std::string record_json(const RunContext& context, const RunRecord& record, const std::optional<RunOutcome>& outcome) {
  Json json = record_head(kRunSchema, context, record, outcome);
  json["time"]["start_up_s"] = record.start_up_s;
  json["format"] = record.format;
  json["record_bytes"] = record.record_bytes;
  json["data_seed"] = record.data_seed;
  json["run_seed"] = record.run_seed;
  json["verify"] = record.verify;
  json["notes"] = record.notes;
  json["plan"] = run_plan_json(record.plan);
  json["read_plan"] = read_plan_json(record.reads);
  json["store"] = store_json(record);
  json["peak_rss_bytes"] = record.peak_rss_bytes;
  json["metrics"] = metrics_json(record);
  json["reading"] = reading_json(record);
  json["ended_by"] = run::ended_by_name(record.ended_by);
  json["epochs"] = Json::array();
  for (const Epoch& epoch : record.epochs) {
    json["epochs"].push_back(epoch_json(epoch, record.run_start.monotonic_ns));
  }
  json["per_second"] = series_json(record);
  json["hosts"] = members_json(context, record, outcome);
  add_findings(json, outcome);
  mask_secrets(json["notes"]);
  return compact_rows(json);
}

std::string record_json(const RunContext& context, const GenerateRecord& record,
                        const std::optional<RunOutcome>& outcome) {
  Json json = record_head(kDatagenSchema, context, record, outcome);
  json["format"] = record.format;
  json["data_seed"] = record.data_seed;
  json["write_plan"] = write_plan_json(record.writes);
  json["store"] = store_json(record);
  json["files"] = record.files;
  json["files_written"] = record.files_written;
  json["files_kept"] = record.files_kept;
  json["files_repaired"] = record.files_repaired;
  json["bytes_written"] = record.stats.bytes;
  json["bytes_kept"] = record.bytes_kept;
  json["bytes_verified"] = record.stats.bytes_verified;
  json["retries"] = record.stats.retries;
  json["retried_bytes"] = record.stats.retried_bytes;
  json["seconds"] = record.seconds;
  json["cpu_user_s"] = record.cpu_user_s;
  json["cpu_system_s"] = record.cpu_system_s;
  json["peak_rss_bytes"] = record.peak_rss_bytes;
  json["worker_time"] = {{"prepare_ns", record.stats.times.prepare_ns},
                         {"submit_ns", record.stats.times.submit_ns},
                         {"wait_ns", record.stats.times.wait_ns},
                         {"other_ns", record.stats.times.other_ns}};
  json["latency"] = {{"write", histogram_json(record.stats.part_ns)},
                     {"commit", histogram_json(record.stats.commit_ns)}};
  json["hosts"] = members_json(context, record, outcome);
  add_findings(json, outcome);
  return compact_rows(json);
}

}  // namespace mlps::results
