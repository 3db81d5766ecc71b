#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "benchmarks/kvcache/metrics.hpp"
#include "benchmarks/kvcache/results/files.hpp"
#include "results/json_text.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using kvcache::kMillis;
using kvcache::LookUps;
using kvcache::RankTrial;
using kvcache::RunRecord;
using kvcache::Served;
using kvcache::Tier;
using kvcache::TierTraffic;

constexpr int kIndent = 4;
// The criteria of mlpstorage 3.0; they decide nothing.
constexpr double kWriteP95Ms = 500, kReadP95Ms = 200, kMemoryP95Ms = 150, kHitRate = 0.30;

std::vector<double> sorted(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values;
}

double rate_of(const LookUps& found) {
  const uint64_t asked = found.hits + found.misses;
  return asked == 0 ? 0 : static_cast<double>(found.hits) / static_cast<double>(asked);
}

Json latency_json(std::vector<double> seconds) {
  seconds = sorted(std::move(seconds));
  Json json;
  json["mean"] = kvcache::mean(seconds) * kMillis;
  for (const auto& [name, p] : kvcache::kPercentiles) json[name] = kvcache::percentile(seconds, p) * kMillis;
  return json;
}

/// Adds "<name>_p50_ms" and so on; nothing where there is no sample.
void add_percentiles(Json& json, const std::string& name, const std::vector<double>& seconds) {
  if (seconds.empty()) return;
  const std::vector<double> in_order = sorted(seconds);
  for (const auto& [word, p] : kvcache::kPercentiles) {
    json[fmt::format("{}_{}_ms", name, word)] = kvcache::percentile(in_order, p) * kMillis;
  }
}

const TierTraffic& traffic(const RankTrial& trial, Tier tier) {
  return trial.tiers[static_cast<size_t>(tier)];
}

// ---- storage_health

struct Criterion {
  const char* name;
  Json target, actual;
  const char* unit;
  bool passed;
};

std::optional<double> p95_ms(std::vector<double> seconds) {
  if (seconds.empty()) return std::nullopt;
  return kvcache::percentile(sorted(std::move(seconds)), 95) * kMillis;
}

std::vector<Criterion> latency_criteria(const RankTrial& trial) {
  std::vector<Criterion> criteria;
  const auto below = [&](const char* name, double target, std::optional<double> actual) {
    if (actual) criteria.push_back({name, target, *actual, "ms", *actual < target});
  };
  const auto device = [](const std::vector<double>& split, const std::vector<double>& all) {
    return p95_ms(split.empty() ? all : split);
  };
  const TierTraffic& storage = kvcache::storage_of(trial);
  below("Storage Tier Write Device P95", kWriteP95Ms, device(storage.write_device_s, storage.write_s));
  below("Storage Tier Read Device P95", kReadP95Ms, device(storage.read_device_s, storage.read_s));
  std::vector<double> memory = traffic(trial, Tier::kCpu).read_s;
  const std::vector<double>& written = traffic(trial, Tier::kCpu).write_s;
  memory.insert(memory.end(), written.begin(), written.end());
  below("CPU RAM P95", kMemoryP95Ms, p95_ms(std::move(memory)));
  const LookUps found = kvcache::look_ups(trial);
  const double rate = rate_of(found);
  if (found.hits + found.misses > 0) criteria.push_back({"Cache Hit Rate", kHitRate, rate, "ratio", rate > kHitRate});
  return criteria;
}

std::vector<Criterion> throughput_criteria(const RankTrial& trial) {
  const TierTraffic& storage = kvcache::storage_of(trial);
  const uint64_t read = kvcache::bytes_read(storage), written = kvcache::bytes_written(storage);
  std::vector<Criterion> criteria;
  const auto above = [&](const char* name, uint64_t bytes, uint64_t others) {
    if (bytes == 0 && others > 0) return;  // there was nothing of the kind to do
    const double rate = to_gib(bytes) / trial.elapsed_s;
    criteria.push_back({name, ">0", fmt::format("{:.2f}", rate), "GB/s", rate > 0});
  };
  above("Storage KV Read Bandwidth", read, written);
  above("Storage KV Write Bandwidth", written, read);
  return criteria;
}

Json health_json(const RunRecord& record, const RankTrial& trial) {
  const auto criteria = record.settings.throughput_profile ? throughput_criteria(trial) : latency_criteria(trial);
  const auto passed = std::count_if(criteria.begin(), criteria.end(), [](const auto& each) { return each.passed; });
  Json list = Json::array();
  for (const Criterion& each : criteria) {
    list.push_back({{"name", each.name},
                    {"target", each.target},
                    {"actual", each.actual},
                    {"unit", each.unit},
                    {"passed", each.passed}});
  }
  Json json;
  json["overall_status"] = static_cast<size_t>(passed) == criteria.size() ? "PASS" : "FAIL";
  json["passed_count"] = passed;
  json["total_count"] = criteria.size();
  json["criteria"] = std::move(list);
  return json;
}

// ---- cache_stats

void add_tiers(Json& json, const RankTrial& trial) {
  json["gpu_entries"] = trial.entries[0];
  json["cpu_entries"] = trial.entries[1];
  json["storage_entries"] = trial.entries[2];
  json["gpu_memory_used_gb"] = to_gib(trial.used_bytes[0]);
  json["cpu_memory_used_gb"] = to_gib(trial.used_bytes[1]);
  json["offloads_cpu"] = traffic(trial, Tier::kCpu).offloads;
  json["offloads_storage"] = traffic(trial, Tier::kStorage).offloads;
  json["prefill_writes"] = trial.prefill_writes;
  json["decode_reads"] = trial.decode_reads;
  for (size_t i = 0; i < kvcache::kTiers; ++i) {
    const std::string prefix = fmt::format("tier_{}_", kvcache::kTierNames[i]);
    const double written = to_gib(kvcache::bytes_written(trial.tiers[i]));
    const double read = to_gib(kvcache::bytes_read(trial.tiers[i]));
    json[prefix + "kv_bytes_written_gb"] = written;
    json[prefix + "kv_bytes_read_gb"] = read;
    json[prefix + "read_bandwidth_gbps"] = read / trial.elapsed_s;
    json[prefix + "write_bandwidth_gbps"] = written / trial.elapsed_s;
  }
}

void add_totals(Json& json, const RankTrial& trial) {
  uint64_t read = 0, written = 0;
  for (const TierTraffic& each : trial.tiers) {
    read += each.read.inside;
    written += each.written.inside;
  }
  json["total_read_bytes"] = read;
  json["total_write_bytes"] = written;
  json["total_read_gb"] = to_gib(read);
  json["total_write_gb"] = to_gib(written);
  json["read_write_ratio"] = static_cast<double>(read) / static_cast<double>(std::max<uint64_t>(written, 1));
  json["read_iops"] = trial.reads;
  json["write_iops"] = trial.writes;
  json["storage_tokens_processed"] = traffic(trial, Tier::kStorage).tokens;
  json["system_prompt_hits"] = trial.system_hits;
  json["common_phrase_hits"] = 0;
  json["user_cache_hits"] = trial.user_hits;
  json["multi_turn_hits"] = trial.turn_hits;
}

Json cache_stats_json(const RunRecord& record, const RankTrial& trial) {
  const LookUps found = kvcache::look_ups(trial);
  Json json;
  json["cache_hits"] = found.hits;
  json["cache_misses"] = found.misses;
  json["cache_hit_rate"] = rate_of(found);
  add_tiers(json, trial);
  add_totals(json, trial);
  for (size_t i = 0; i < kvcache::kTiers; ++i) {
    const std::string tier(kvcache::kTierNames[i]);
    add_percentiles(json, tier + "_read", trial.tiers[i].read_s);
    add_percentiles(json, tier + "_write", trial.tiers[i].write_s);
  }
  const TierTraffic& storage = kvcache::storage_of(trial);
  add_percentiles(json, "storage_read_device", storage.read_device_s);
  add_percentiles(json, "storage_read_host", storage.read_host_s);
  add_percentiles(json, "storage_write_device", storage.write_device_s);
  add_percentiles(json, "storage_write_host", storage.write_host_s);
  json["storage_health"] = health_json(record, trial);
  return json;
}

// ---- summary

Json class_json(const kvcache::QosProfile& profile, const RankTrial& trial, size_t index) {
  std::vector<double> seconds;
  for (const Served& request : trial.served) {
    if (request.qos == index) seconds.push_back(request.end_to_end_s);
  }
  if (seconds.empty()) return {{"no_data", true}};
  seconds = sorted(std::move(seconds));
  const auto late = std::count_if(seconds.begin(), seconds.end(),
                                  [&](double each) { return each * kMillis > profile.target_p95_ms; });
  const double compliance = 1 - static_cast<double>(late) / static_cast<double>(seconds.size());
  const double p95 = kvcache::percentile(seconds, 95) * kMillis;
  Json json;
  json["total_requests"] = seconds.size();
  json["latency_ms"] = {{"mean", kvcache::mean(seconds) * kMillis},
                        {"p50", kvcache::percentile(seconds, 50) * kMillis},
                        {"p95", p95},
                        {"p99", kvcache::percentile(seconds, 99) * kMillis},
                        {"max", seconds.back() * kMillis}};
  json["sla"] = {{"target_p95_ms", profile.target_p95_ms},
                 {"actual_p95_ms", p95},
                 {"compliance", compliance},
                 {"met", compliance >= kvcache::kCompliance}};
  return json;
}

Json prefix_json(const RunRecord& record, const RankTrial& trial) {
  if (!record.settings.prefix_caching) return Json::object();
  return {{"prefix_hits", trial.prefix_hits},
          {"prefix_misses", trial.prefix_misses},
          {"system_prompt_reuse", trial.prefix_hits},
          {"common_phrase_reuse", 0},
          {"bytes_saved", trial.prefix_bytes_saved}};
}

// ---- autoscaling

/// What the autoscaler did; looks after which it did nothing are in the timeline alone.
Json scaling_json(const RunRecord& record, const RankTrial& trial) {
  constexpr const char* kActs[] = {"hold", "scale_up", "scale_down", "stop"};
  Json json = Json::array();
  for (const kvcache::ScalingTick& tick : trial.scaling) {
    if (tick.act == kvcache::ScalingAct::kHold) continue;
    Json& action = json.push_back({{"timestamp", tick.at_s},
                                   {"mode", kvcache::autoscaler_name(record.settings.tuning.scaling.mode)},
                                   {"action", kActs[tick.act]},
                                   {"users", tick.users},
                                   {"saturation_level", tick.saturation},
                                   {"read_latency_p95_ms", tick.read_p95_ms},
                                   {"write_latency_p95_ms", tick.write_p95_ms},
                                   {"throughput_tokens_per_sec", tick.tokens_per_s}});
    if (tick.act == kvcache::ScalingAct::kStop) action["peak_throughput_tokens_per_sec"] = tick.peak_tokens_per_s;
  }
  return json;
}

Json scaling_summary_json(const RunRecord& record, const RankTrial& trial) {
  if (record.settings.tuning.scaling.mode == kvcache::AutoscalerMode::kOff) return {};
  const auto option = std::find_if(record.settings.options.begin(), record.settings.options.end(),
                                   [&](const auto& each) { return each.number == trial.option; });
  uint32_t final = option->users, most = option->users;
  double peak = 0;
  uint64_t events = 0;
  for (const kvcache::ScalingTick& tick : trial.scaling) {
    events += tick.act == kvcache::ScalingAct::kHold ? 0 : 1;
    final = tick.users;
    most = std::max(most, tick.users);
    peak = std::max(peak, tick.tokens_per_s);
  }
  return {{"initial_users", option->users},
          {"final_users", final},
          {"total_scale_events", events},
          {"peak_user_count", most},
          {"peak_throughput_tokens_per_sec", peak}};
}

uint64_t tokens_of(const RankTrial& trial) {
  uint64_t tokens = 0;
  for (const Served& request : trial.served) tokens += request.tokens;
  return tokens;
}

Json rank_summary_json(const RunRecord& record, const RankTrial& trial) {
  const auto tokens = static_cast<double>(tokens_of(trial));
  const double storage_s = kvcache::sum(kvcache::each(trial.served, &Served::storage_s));
  Json json;
  json["total_requests"] = trial.served.size();
  json["total_tokens"] = tokens_of(trial);
  json["elapsed_time"] = trial.elapsed_s;
  json["avg_throughput_tokens_per_sec"] = tokens / trial.elapsed_s;
  json["total_storage_io_time"] = storage_s;
  json["storage_throughput_tokens_per_sec"] = storage_s > 0 ? tokens / storage_s : 0;
  json["requests_per_second"] = static_cast<double>(trial.served.size()) / trial.elapsed_s;
  json["end_to_end_latency_ms"] = latency_json(kvcache::each(trial.served, &Served::end_to_end_s));
  json["storage_io_latency_ms"] = latency_json(kvcache::each(trial.served, &Served::storage_s));
  json["generation_latency_ms"] = latency_json(kvcache::each(trial.served, &Served::generation_s));
  json["cache_stats"] = cache_stats_json(record, trial);
  for (size_t i = 0; i < kvcache::kClasses; ++i) {
    const kvcache::QosProfile& profile = record.settings.tuning.classes[i];
    json["qos_metrics"][profile.name] = class_json(profile, trial, i);
  }
  json["prefix_cache_stats"] = prefix_json(record, trial);
  json["autoscaling_stats"] = scaling_json(record, trial);
  json["autoscaling_summary"] = scaling_summary_json(record, trial);
  json["multi_turn_stats"] = {{"cache_hits", trial.earlier_turns.hits},
                              {"cache_misses", trial.earlier_turns.misses},
                              {"hit_rate", rate_of(trial.earlier_turns)}};
  return json;
}

Json option_json(const RunRecord& record, const kvcache::OptionPlan& option) {
  const kvcache::OptionResult result = kvcache::option_result(record, option);
  const auto known = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  Json json;
  json["option"] = option.number;
  json["rank_count"] = record.ranks;
  json["trial_count"] = record.settings.trials;
  json["aggregated_read_bandwidth_gbps"] = result.read_gib_per_s;
  json["aggregated_write_bandwidth_gbps"] = result.write_gib_per_s;
  json["aggregated_avg_throughput_tokens_per_sec"] = result.tokens_per_s;
  json["aggregated_storage_throughput_tokens_per_sec"] = result.tokens_per_storage_s;
  json["aggregated_p95_latency_ms"] = known(result.p95_request_storage_ms);
  json["aggregated_device_read_p95_ms"] = known(result.device_read_p95_ms);
  json["aggregated_device_write_p95_ms"] = known(result.device_write_p95_ms);
  json["aggregated_storage_read_p95_ms"] = known(result.read_p95_ms);
  json["partial_failure"] = false;
  json["missing_files"] = Json::array();
  json["cpu_tier_ranks"] = result.cpu_tier_ranks;
  return json;
}

}  // namespace

std::string rank_file_text(const RunRecord& record, const RankTrial& trial) {
  Json json;
  json["requests_completed"] = trial.served.size();
  json["total_tokens_generated"] = tokens_of(trial);
  json["total_storage_io_latency"] = kvcache::sum(kvcache::each(trial.served, &Served::storage_s));
  json["total_generation_latency"] = kvcache::sum(kvcache::each(trial.served, &Served::generation_s));
  json["end_to_end_latencies"] = kvcache::each(trial.served, &Served::end_to_end_s);
  json["storage_latencies"] = kvcache::each(trial.served, &Served::storage_s);
  json["generation_latencies"] = kvcache::each(trial.served, &Served::generation_s);
  json["throughput_timeline"] = Json::array();
  for (const kvcache::ScalingTick& tick : trial.scaling) {
    json["throughput_timeline"].push_back({{"timestamp", tick.at_s}, {"throughput_tokens_per_sec", tick.tokens_per_s}});
  }
  json["prefill_latencies"] = trial.prefill_s;
  json["decode_latencies"] = trial.decode_s;
  json["multi_turn_cache_hits"] = trial.earlier_turns.hits;
  json["multi_turn_cache_misses"] = trial.earlier_turns.misses;
  json["seed"] = trial.seed;
  if (!trial.served.empty()) json["summary"] = rank_summary_json(record, trial);
  return indented(json, kIndent);
}

std::string summary_text(const KvCacheContext& context, const RunRecord& record) {
  Json json;
  json["schema_version"] = "1.0";
  json["run_datetime"] = context.run_datetime;
  json["npernode"] = context.ranks_per_host;
  json["host_count"] = hosts_of(context).size();
  json["total_ranks"] = record.ranks;
  json["trials_per_option"] = record.settings.trials;
  for (const kvcache::OptionPlan& option : record.settings.options) {
    json["options"][std::to_string(option.number)] = option_json(record, option);
  }
  json["partial_failure"] = false;
  json["trial_failures"] = Json::object();
  return indented(json, kIndent);
}

}  // namespace mlps::results
