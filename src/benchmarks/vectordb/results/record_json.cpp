#include <fmt/format.h>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "benchmarks/vectordb/metrics.hpp"
#include "benchmarks/vectordb/results/views.hpp"
#include "benchmarks/vectordb/rules.hpp"
#include "results/fields_json.hpp"
#include "results/findings.hpp"
#include "results/hosts_table.hpp"
#include "results/record_common.hpp"
#include "results/run_hosts.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using vectordb::InsertWindow;
using vectordb::RunRecord;
using vectordb::Spread;
using vectordb::WindowPlan;
using vectordb::WindowResult;

constexpr const char* kNone = "-";

template <class Value>
Json known(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

Json spread_json(const Spread& spread) {
  const auto some = [&](double value) { return spread.count == 0 ? Json() : Json(value); };
  return {{"count", spread.count},        {"min_ms", some(spread.min)},
          {"mean_ms", some(spread.mean)}, {"median_ms", some(spread.median)},
          {"p95_ms", some(spread.p95)},   {"p99_ms", some(spread.p99)},
          {"p999_ms", some(spread.p999)}, {"p9999_ms", some(spread.p9999)},
          {"max_ms", some(spread.max)}};
}

Json facts_json(const vectordb::CollectionFacts& facts) {
  Json parameters = Json::object();
  for (const auto& [key, value] : facts.parameters) parameters[key] = value;
  return {{"rows", facts.rows},
          {"indexed_rows", known(facts.indexed_rows)},
          {"index_bytes", known(facts.index_bytes)},
          {"data_bytes", known(facts.data_bytes)},
          {"memory_bytes", known(facts.memory_bytes)},
          {"metric", vectordb::metric_name(facts.metric)},
          {"index", vectordb::index_name(facts.index)},
          {"parameters", parameters}};
}

double per_query(uint64_t sum, const WindowResult& result) {
  return static_cast<double>(sum) / static_cast<double>(result.answered);
}

/// The cost of a query; null where the engine does not tell it.
Json cost_json(const RunRecord& record, const WindowResult& result) {
  const vectordb::QueryCost& cost = result.cost;
  const bool told = record.engine == vectordb::EngineKind::kEmbedded && result.answered > 0;
  const auto each = [&](uint64_t sum) { return told ? Json(per_query(sum, result)) : Json(); };
  const auto micros = [&](Nanos sum) {
    return result.answered > 0 ? Json(per_query(static_cast<uint64_t>(sum), result) / 1e3) : Json();
  };
  return {{"reads", each(cost.reads)},
          {"bytes", each(cost.bytes)},
          {"rounds", each(cost.rounds)},
          {"cache_hits", each(cost.cache_hits)},
          {"scored", each(cost.scored)},
          {"compute_us", micros(cost.compute_ns)},
          {"wait_us", micros(cost.wait_ns)},
          {"client_cpu_us", known(result.cpu_us_per_query)},
          {"device_read_bytes", known(result.device_read_bytes_per_query)}};
}

Json window_json(const RunRecord& record, uint32_t window) {
  const WindowPlan& plan = record.windows[window];
  const WindowResult result = vectordb::window_result(record, window);
  Json json = fields_json(plan);
  const bool some = result.answered > 0;
  json["effort"] = vectordb::effective_effort(record.facts.index, plan.effort, record.search.limit);
  json["workers"] = result.workers;
  json["window_s"] = result.window_s;
  json["queries_completed"] = result.completed;
  json["queries_answered"] = result.answered;
  json["queries_per_s"] = result.queries_per_s;
  json["searches"] = result.searches;
  json["searches_failed"] = result.failed;
  json["searches_per_s"] = result.searches_per_s;
  json["first_error"] = result.first_error.empty() ? Json() : Json(result.first_error);
  json["latency"] = spread_json(result.latency_ms);
  json["recall"] = {{"k", record.search.recall_k},
                    {"mean", some ? Json(result.recall) : Json()},
                    {"mean_exact", some ? Json(result.recall_exact) : Json()},
                    {"at_1", some ? Json(result.recall_at_1) : Json()},
                    {"queries", result.answered},
                    {"ties", result.ties},
                    {"short_answers", result.short_answers}};
  json["per_query"] = cost_json(record, result);
  json["official"] = {{"total_queries", result.official_queries},
                      {"total_time_seconds", result.official_s},
                      {"throughput_qps", result.official_qps},
                      {"latency", spread_json(result.official_latency_ms)},
                      {"batch_time", spread_json(result.batch_ms)}};
  return json;
}

Json load_json(const RunRecord& record) {
  const vectordb::LoadResult result = vectordb::load_result(record);
  return {{"assigned", result.assigned},
          {"inserted", result.inserted},
          {"insert_s", result.insert_s},
          {"vectors_per_s", result.vectors_per_s},
          {"bytes_per_s", result.bytes_per_s}};
}

template <class Item>
Json list_json(const std::vector<Item>& items, Nanos origin) {
  Json json = Json::array();
  for (const Item& item : items) json.push_back(fields_json(item, origin));
  return json;
}

/// Returns what the rules say of a run that came to its end.
Json rules_json(const VectorDbContext& context, const RunRecord& record) {
  vectordb::RuleFacts facts;
  facts.closed = context.mode == "closed";
  facts.object = context.protocol == "object";
  facts.results_dir = context.results_dir;
  if (context.separation) facts.same_file_system = context.separation->same_filesystem;
  for (const workloads::Override& override : context.overrides) facts.overrides.push_back(override.key);
  facts.record = &record;
  Json json = Json::array();
  for (const vectordb::Rule& rule : vectordb::rules()) {
    const auto why = rule.broken(facts);
    json.push_back({{"id", rule.id},
                    {"name", rule.name},
                    {"text", rule.text},
                    {"kept", !why},
                    {"why_not", why ? Json(*why) : Json()}});
  }
  return json;
}

void add_search_rows(const RunRecord& record, std::vector<std::vector<std::string>>& rows) {
  std::vector<WindowResult> results;
  for (uint32_t window = 0; window < record.windows.size(); ++window) {
    results.push_back(vectordb::window_result(record, window));
  }
  const auto row = [&](const char* label, const char* unit, const auto& text) {
    rows.push_back({label, unit});
    for (size_t i = 0; i < results.size(); ++i) {
      rows.back().push_back(results[i].answered == 0 ? kNone : text(results[i], record.windows[i]));
    }
  };
  const bool sweeps = record.search.mode == vectordb::SearchMode::kSweep;
  if (sweeps) {
    row("recall wanted", "", [](const auto&, const WindowPlan& plan) {
      return plan.target ? fmt::format("{}{}", *plan.target, plan.reached ? "" : " (not reached)") : kNone;
    });
  }
  const std::string_view word = vectordb::effort_word(record.facts.index);
  if (!word.empty()) {
    row(word == "ef"       ? "ef"
        : word == "nprobe" ? "nprobe"
                           : "search_list",
        "", [&](const auto&, const WindowPlan& plan) {
          return std::to_string(vectordb::effective_effort(record.facts.index, plan.effort, record.search.limit));
        });
  }
  row("recall", "", [](const auto& r, const auto&) { return fmt::format("{:.4f}", r.recall); });
  row("  of the nearest alone", "", [](const auto& r, const auto&) { return fmt::format("{:.4f}", r.recall_at_1); });
  row("queries completed", "1/s", [](const auto& r, const auto&) { return figure(r.queries_per_s); });
  row("latency of a search, mean", "ms", [](const auto& r, const auto&) { return figure(r.latency_ms.mean); });
  row("  p95", "ms", [](const auto& r, const auto&) { return figure(r.latency_ms.p95); });
  row("  p99", "ms", [](const auto& r, const auto&) { return figure(r.latency_ms.p99); });
  row("  p99.9", "ms", [](const auto& r, const auto&) { return figure(r.latency_ms.p999); });
  if (record.engine == vectordb::EngineKind::kEmbedded) {
    row("reads of a query", "", [](const auto& r, const auto&) { return figure(per_query(r.cost.reads, r)); });
    row("bytes of a query", "KiB",
        [](const auto& r, const auto&) { return figure(per_query(r.cost.bytes, r) / static_cast<double>(kKiB)); });
  }
  row("client CPU of a query", "us",
      [](const auto& r, const auto&) { return r.cpu_us_per_query ? figure(*r.cpu_us_per_query) : kNone; });
  if (!record.inserts.empty()) {
    row("vectors inserted", "1/s", [&](const auto&, const WindowPlan& plan) {
      const InsertWindow& inserts = record.inserts.at(static_cast<size_t>(&plan - record.windows.data()));
      return figure(static_cast<double>(inserts.inserted) / inserts.seconds);
    });
    row("  latency of a batch, p99", "ms", [&](const auto&, const WindowPlan& plan) {
      const InsertWindow& inserts = record.inserts.at(static_cast<size_t>(&plan - record.windows.data()));
      return inserts.insert.count() == 0 ? kNone : figure(static_cast<double>(inserts.insert.percentile(0.99)) / 1e6);
    });
  }
  row("official throughput", "1/s", [](const auto& r, const auto&) { return figure(r.official_qps); });
  row("searches failed", "", [](const auto& r, const auto&) { return std::to_string(r.failed); });
}

void add_load_rows(const RunRecord& record, std::vector<std::vector<std::string>>& rows) {
  const vectordb::LoadResult result = vectordb::load_result(record);
  const auto step = [](const std::optional<double>& seconds) { return seconds ? figure(*seconds) : kNone; };
  rows.push_back({"vectors inserted", "", grouped(result.inserted)});
  rows.push_back({"  rate", "1/s", figure(result.vectors_per_s)});
  rows.push_back({"  rate", "GiB/s", figure(result.bytes_per_s / static_cast<double>(kGiB))});
  rows.push_back({"flush", "s", step(record.steps.flush_s)});
  rows.push_back({"index build", "s", step(record.steps.build_s)});
  rows.push_back({"rows of the collection", "", grouped(record.facts.rows)});
}

}  // namespace

std::string record_json(const VectorDbContext& context, const RunRecord& record,
                        const std::optional<RunOutcome>& outcome) {
  const Nanos origin = record.run_start.monotonic_ns;
  Json json = record_head(kVectorDbRecordSchema, context, record, outcome);
  json["plan"] = plan_object(record, {context.mode, context.command, record.ranks});
  json["store"] = store_json(record);
  json["server_version"] = record.server_version.empty() ? Json() : Json(record.server_version);
  json["peak_rss_bytes"] = record.peak_rss_bytes;
  json["steps"] = fields_json(record.steps);
  json["collection"] = outcome ? facts_json(record.facts) : Json();
  if (record.searches) {
    json["truth"] = {{"identity", record.truth.identity},
                     {"rows", record.truth.rows},
                     {"reused", record.truth.reused},
                     {"rows_checked", record.truth.rows_checked},
                     {"rows_right", record.truth.rows_right},
                     {"rows_grown", record.truth.rows_grown},
                     {"new_rows_checked", record.truth.new_checked},
                     {"new_rows_right", record.truth.new_right}};
    json["sweep"] = list_json(record.sweep, origin);
    json["windows"] = Json::array();
    for (uint32_t window = 0; window < record.windows.size(); ++window) {
      json["windows"].push_back(window_json(record, window));
    }
    json["workers"] = list_json(record.workers, origin);
    json["host_windows"] = list_json(record.host_windows, origin);
    json["inserts"] = list_json(record.inserts, origin);
  } else {
    json["load"] = load_json(record);
    json["ranks"] = list_json(record.loads, origin);
  }
  json["rules"] = outcome ? rules_json(context, record) : Json();
  json["hosts"] = members_json(context, record, outcome);
  add_findings(json, outcome);
  return compact_rows(json);
}

std::string result_table(const RunRecord& record) {
  std::vector<std::vector<std::string>> rows;
  if (record.searches) {
    add_search_rows(record, rows);
  } else {
    add_load_rows(record, rows);
  }
  LabelledLines facts(18);
  if (record.facts.index_bytes) facts.add("index", human_bytes(*record.facts.index_bytes));
  if (!record.server_version.empty()) facts.add("server", record.server_version);
  facts.add("peak memory", human_bytes(record.peak_rss_bytes));
  return fmt::format("Result ({})\n", run::verdict_name(record.verdict)) + aligned_rows(rows, 2) + facts.text() +
         hosts_table(record.hosts) + verdict_text(record);
}

}  // namespace mlps::results
