#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "benchmarks/kvcache/metrics.hpp"
#include "benchmarks/kvcache/results/views.hpp"
#include "benchmarks/kvcache/rules.hpp"
#include "results/fields_json.hpp"
#include "results/findings.hpp"
#include "results/hosts_table.hpp"
#include "results/record_common.hpp"
#include "results/run_hosts.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using kvcache::kMillis;
using kvcache::OptionResult;
using kvcache::RankTrial;
using kvcache::RunRecord;
using kvcache::Served;

constexpr const char* kNone = "-";

Json known(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

/// Returns count, mean and percentiles of latencies; those of nothing are null.
Json latencies_json(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  Json json;
  json["count"] = seconds.size();
  const auto some = [&](double value) { return seconds.empty() ? Json() : Json(value * kMillis); };
  json["mean_ms"] = some(kvcache::mean(seconds));
  for (const auto& [name, p] : kvcache::kPercentiles) {
    json[fmt::format("{}_ms", name)] = some(kvcache::percentile(seconds, p));
  }
  return json;
}

Json tier_json(const kvcache::TierTraffic& traffic) {
  Json json = fields_json(traffic);
  json["entries"] = {{"read", latencies_json(traffic.read_s)},
                     {"write", latencies_json(traffic.write_s)},
                     {"demotion_read", latencies_json(traffic.demotion_read_s)},
                     {"demotion_write", latencies_json(traffic.demotion_write_s)}};
  return json;
}

Json classes_json(const RunRecord& record, const RankTrial& trial) {
  Json json = Json::object();
  for (size_t i = 0; i < kvcache::kClasses; ++i) {
    std::vector<double> whole, queue, first;
    uint64_t good = 0;
    for (const Served& request : trial.served) {
      if (request.qos != i) continue;
      whole.push_back(request.end_to_end_s);
      queue.push_back(request.queue_s);
      first.push_back(request.first_token_s);
      good += request.good ? 1 : 0;
    }
    const size_t count = whole.size();
    json[record.settings.tuning.classes[i].name] = {
        {"requests", count},
        {"within_target", good},
        {"attainment", count == 0 ? Json() : Json(static_cast<double>(good) / static_cast<double>(count))},
        {"end_to_end", latencies_json(std::move(whole))},
        {"queue", latencies_json(std::move(queue))},
        {"first_token", latencies_json(std::move(first))}};
  }
  return json;
}

/// What a replay was, against a cluster that computes every prompt.
Json replay_json(const kvcache::PagedSettings& paged, const RankTrial& trial) {
  const kvcache::Replay& replay = trial.replay;
  const auto share = [](uint64_t part, uint64_t of) {
    return of == 0 ? Json() : Json(static_cast<double>(part) / static_cast<double>(of));
  };
  uint64_t good = 0;
  for (const Served& request : trial.served) good += request.good ? 1 : 0;
  Json json = fields_json(replay);
  json["hit_share_blocks"] = share(replay.block_hits, replay.block_references);
  json["hit_share_tokens"] = share(replay.hit_tokens, replay.input_tokens);
  json["first_token"] = latencies_json(kvcache::each(trial.served, &Served::first_token_s));
  json["load"] = latencies_json(kvcache::each(trial.served, &Served::storage_s));
  json["per_output_token_ms"] = kMillis / paged.decode_rate;
  json["within_slo"] = paged.slo_ttft_ms > 0 ? Json(good) : Json();
  json["computed_s"] = static_cast<double>(replay.input_tokens - replay.hit_tokens) / paged.prefill_rate;
  json["computing_saved_s"] = static_cast<double>(replay.hit_tokens) / paged.prefill_rate;
  json["without_offload"] = {
      {"computed_s", static_cast<double>(replay.input_tokens) / paged.prefill_rate},
      {"first_token_mean_ms", replay.requests == 0 ? Json()
                                                   : Json(kMillis * static_cast<double>(replay.input_tokens) /
                                                          paged.prefill_rate / static_cast<double>(replay.requests))}};
  return json;
}

/// What the requests of users were, against a cluster that computes all earlier turns, too.
Json offload_json(const kvcache::Settings& settings, const RankTrial& trial) {
  const auto seconds = [&](uint64_t tokens) { return static_cast<double>(tokens) / settings.prefill_rate; };
  const double without = seconds(trial.offload.computed_tokens + trial.offload.loaded_tokens);
  const auto requests = static_cast<double>(trial.served.size());
  Json json = fields_json(trial.offload);
  json["prefill_tokens_per_s"] = settings.prefill_rate;
  json["computed_s"] = seconds(trial.offload.computed_tokens);
  json["computing_saved_s"] = seconds(trial.offload.loaded_tokens);
  json["without_offload"] = {
      {"computed_s", without},
      {"first_token_mean_ms", trial.served.empty() ? Json() : Json(kMillis * without / requests)}};
  return json;
}

Json trial_json(const RunRecord& record, const RankTrial& trial) {
  Json json = fields_json(trial, record.run_start.monotonic_ns);
  json["requests"] = {{"offered", trial.offered},
                      {"completed", trial.served.size()},
                      {"waiting_at_end", trial.waiting},
                      {"cut_off_at_end", trial.cut_off}};
  for (const char* moved : {"offered", "waiting", "cut_off"}) json.erase(moved);
  for (size_t i = 0; i < kvcache::kTiers; ++i) {
    Json& tier = json["tiers"][kvcache::kTierNames[i]];
    tier = tier_json(trial.tiers[i]);
    tier["entries_at_end"] = trial.entries[i];
    tier["used_bytes_at_end"] = trial.used_bytes[i];
  }
  json["classes"] = record.settings.paged ? Json() : classes_json(record, trial);
  json["scaling"] = Json::array();
  for (const kvcache::ScalingTick& tick : trial.scaling) json["scaling"].push_back(fields_json(tick));
  json["offload"] = record.settings.paged ? Json() : offload_json(record.settings, trial);
  json["replay"] = record.settings.paged ? replay_json(*record.settings.paged, trial) : Json();
  return json;
}

Json result_json(const OptionResult& result) {
  return {{"option", result.option},
          {"storage_moved_gib_per_s", result.read_gib_per_s + result.write_gib_per_s},
          {"storage_read_gib_per_s", result.read_gib_per_s},
          {"storage_write_gib_per_s", result.write_gib_per_s},
          {"while_reading_gib_per_s", known(result.while_reading_gib_per_s)},
          {"while_writing_gib_per_s", known(result.while_writing_gib_per_s)},
          {"entry_read_gib_per_s", known(result.entry_read_gib_per_s)},
          {"entry_write_gib_per_s", known(result.entry_write_gib_per_s)},
          {"requests_per_s", result.requests_per_s},
          {"good_requests_per_s", result.good_requests_per_s},
          {"attainment", known(result.attainment)},
          {"hit_rate", result.hit_rate},
          {"generated_tokens_per_s", result.tokens_per_s},
          {"generated_tokens_per_storage_s", result.tokens_per_storage_s},
          {"entry_read_p95_ms", known(result.read_p95_ms)},
          {"entry_read_mean_bytes", known(result.read_entry_bytes)},
          {"entry_device_read_p95_ms", known(result.device_read_p95_ms)},
          {"entry_device_write_p95_ms", known(result.device_write_p95_ms)},
          {"request_storage_p95_ms", known(result.p95_request_storage_ms)},
          {"cpu_tier_ranks", result.cpu_tier_ranks}};
}

Json series_of(const RunRecord& record) {
  Json json = {{"interval_s", record.series.interval_s()}, {"intervals", Json::array()}};
  for (const io::Second& second : record.series.intervals()) {
    json["intervals"].push_back(
        {{"bytes", second.bytes}, {"operations", second.operations}, {"retries", second.retries}});
  }
  return json;
}

std::string digits(const std::optional<double>& value) {
  return value ? figure(*value) : kNone;
}

/// What the rules say of a run that came to its end.
Json rules_json(const KvCacheContext& context, const RunRecord& record) {
  kvcache::RuleFacts facts;
  facts.closed = context.mode == "closed";
  facts.object = context.protocol == "object";
  facts.hosts = static_cast<uint32_t>(hosts_of(context).size());
  facts.ranks_per_host = context.ranks_per_host;
  if (context.separation) facts.same_file_system = context.separation->same_filesystem;
  facts.command_line = join(context.argv, " ");
  for (const auto& [name, value] : record.store_settings) facts.storage_settings += name + " " + value + "; ";
  facts.record = &record;
  Json json = Json::array();
  for (const kvcache::Rule& rule : kvcache::rules()) {
    const auto why = rule.broken(facts);
    json.push_back({{"id", rule.id},
                    {"name", rule.name},
                    {"text", rule.text},
                    {"kept", !why},
                    {"why_not", why ? Json(*why) : Json()}});
  }
  return json;
}

/// How long a single operation took, and how large it was: an entry is moved by one or by many.
std::string operation_text(const RunRecord& record) {
  const Histogram& parts = record.storage.part_ns;
  if (parts.count() == 0 || record.storage.parts == 0) return kNone;
  return fmt::format("p95 {} ms, reads and writes, of {} in the mean",
                     figure(static_cast<double>(parts.percentile(0.95)) / 1e6),
                     human_bytes(record.storage.bytes / record.storage.parts));
}

std::string replay_rows(const RunRecord& record) {
  std::vector<std::vector<std::string>> rows = {{"rank", "blocks asked", "hits", "hit share, %", "stored", "evicted",
                                                 "first token p50, ms", "p99", "late p99, ms"}};
  for (const RankTrial& trial : record.trials) {
    const kvcache::Replay& replay = trial.replay;
    std::vector<double> first = kvcache::each(trial.served, &Served::first_token_s);
    std::sort(first.begin(), first.end());
    const double asked = static_cast<double>(std::max<uint64_t>(replay.block_references, 1));
    rows.push_back({std::to_string(trial.rank), grouped(replay.block_references), grouped(replay.block_hits),
                    fmt::format("{:.3f}", 100 * static_cast<double>(replay.block_hits) / asked),
                    grouped(replay.blocks_stored), grouped(replay.blocks_evicted),
                    fmt::format("{:.1f}", kvcache::percentile(first, 50) * kMillis),
                    fmt::format("{:.1f}", kvcache::percentile(first, 99) * kMillis),
                    fmt::format("{:.2f}", static_cast<double>(replay.lateness_ns.percentile(0.99)) / 1e6)});
  }
  return aligned_rows(rows, 2);
}

}  // namespace

std::string record_json(const KvCacheContext& context, const RunRecord& record,
                        const std::optional<RunOutcome>& outcome) {
  Json json = record_head(kKvRecordSchema, context, record, outcome);
  json["plan"] = plan_object(record, {context.mode, context.ranks_per_host});
  json["store"] = store_json(record);
  json["verify"] = record.verify;
  json["gpu_tier"] = "modelled at 64 GB/s, not measured";
  json["leftover"] = {{"entries", record.leftover_entries},
                      {"bytes", record.leftover_bytes},
                      {"ranks_beside_some", record.crowded_ranks}};
  json["peak_rss_bytes"] = record.peak_rss_bytes;
  json["results"] = Json::array();
  for (const kvcache::OptionPlan& option : record.settings.options) {
    json["results"].push_back(result_json(kvcache::option_result(record, option)));
  }
  json["rules"] = outcome ? rules_json(context, record) : Json();
  json["client"] = {{"share", known(kvcache::client_share(record))},
                    {"share_of_service", known(kvcache::harness_share(record))},
                    {"cpu_user_s", record.cpu_user_s},
                    {"cpu_system_s", record.cpu_system_s},
                    {"cpu_s_per_gib", kvcache::cpu_s_per_gib(record)}};
  json["operations"] = {{"storage", fields_json(record.storage)}, {"cpu_tier", fields_json(record.memory)}};
  json["trials"] = Json::array();
  for (const RankTrial& trial : record.trials) {
    json["trials"].push_back(trial_json(record, trial));
  }
  json["per_second"] = series_of(record);
  json["hosts"] = members_json(context, record, outcome);
  add_findings(json, outcome);
  return compact_rows(json);
}

std::string result_table(const RunRecord& record) {
  std::vector<OptionResult> results;
  for (const kvcache::OptionPlan& option : record.settings.options) {
    results.push_back(kvcache::option_result(record, option));
  }
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](const char* label, const char* unit, const auto& text) {
    rows.push_back({label, unit});
    for (const OptionResult& result : results) rows.back().push_back(text(result));
  };
  row("option", "", [](const OptionResult& r) { return std::to_string(r.option); });
  row("storage moved", "GiB/s", [](const OptionResult& r) { return digits(r.read_gib_per_s + r.write_gib_per_s); });
  row("  read", "GiB/s", [](const OptionResult& r) { return digits(r.read_gib_per_s); });
  row("  written", "GiB/s", [](const OptionResult& r) { return digits(r.write_gib_per_s); });
  row("storage, while it reads", "GiB/s", [](const OptionResult& r) { return digits(r.while_reading_gib_per_s); });
  row("storage, while it writes", "GiB/s", [](const OptionResult& r) { return digits(r.while_writing_gib_per_s); });
  row("one entry, while it is read", "GiB/s", [](const OptionResult& r) { return digits(r.entry_read_gib_per_s); });
  row("one entry, while it is written", "GiB/s", [](const OptionResult& r) { return digits(r.entry_write_gib_per_s); });
  row("requests completed", "1/s", [](const OptionResult& r) { return digits(r.requests_per_s); });
  row("requests within their target", "1/s", [](const OptionResult& r) { return digits(r.good_requests_per_s); });
  row("  of those completed", "%",
      [](const OptionResult& r) { return r.attainment ? fmt::format("{:.1f}", *r.attainment * 100) : kNone; });
  row("hit rate", "%", [](const OptionResult& r) { return fmt::format("{:.1f}", r.hit_rate * 100); });
  row("tokens generated", "1/s", [](const OptionResult& r) { return digits(r.tokens_per_s); });
  row("tokens per second of storage time", "1/s", [](const OptionResult& r) { return digits(r.tokens_per_storage_s); });
  row("read of an entry, p95 (highest rank)", "ms", [](const OptionResult& r) { return digits(r.read_p95_ms); });
  row("  of entries of, in the mean", "MiB", [](const OptionResult& r) {
    return r.read_entry_bytes ? figure(*r.read_entry_bytes / static_cast<double>(kMiB)) : kNone;
  });
  row("  device span", "ms", [](const OptionResult& r) { return digits(r.device_read_p95_ms); });
  row("write of an entry, device span, p95", "ms", [](const OptionResult& r) { return digits(r.device_write_p95_ms); });
  std::string replayed;
  if (record.settings.paged) replayed = replay_rows(record);
  LabelledLines facts(18);
  const auto share = kvcache::client_share(record);
  facts.add("waited for client", share ? fmt::format("{:.2f} % of the entries' time", *share * 100) : kNone);
  facts.add("one operation", operation_text(record));
  if (!record.settings.paged) facts.add("preconditioned", record.settings.preconditioning ? "yes" : "no");
  facts.add("CPU", fmt::format("{} s/GiB", digits(kvcache::cpu_s_per_gib(record))));
  facts.add("peak memory", human_bytes(record.peak_rss_bytes));
  return fmt::format("Result ({}), means of {}\n", run::verdict_name(record.verdict),
                     counted(record.settings.trials, "trial")) +
         aligned_rows(rows, 2) + replayed + facts.text() + hosts_table(record.hosts) + verdict_text(record);
}

}  // namespace mlps::results
