#include "benchmarks/vectordb/results/official.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "base/read_file.hpp"
#include "benchmarks/vectordb/metrics.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using vectordb::OfficialRecall;
using vectordb::RunRecord;
using vectordb::Spread;
using vectordb::WindowResult;

constexpr int kIndent = 2;
constexpr double kMicros = 1e6;
constexpr size_t kFlushBytes = 64 << 10;

WindowResult official_result(const RunRecord& record) {
  return vectordb::window_result(record, vectordb::official_window(record));
}

void add_spread(Json& json, const Spread& spread, const char* suffix) {
  const std::array<std::pair<const char*, double>, 8> values = {{{"min", spread.min},
                                                                 {"max", spread.max},
                                                                 {"mean", spread.mean},
                                                                 {"median", spread.median},
                                                                 {"p95", spread.p95},
                                                                 {"p99", spread.p99},
                                                                 {"p999", spread.p999},
                                                                 {"p9999", spread.p9999}}};
  for (const auto& [name, value] : values) {
    json[fmt::format("{}_{}_ms", name, suffix)] = spread.count == 0 ? Json() : Json(value);
  }
}

Json recall_json(const RunRecord& record) {
  const OfficialRecall recall = vectordb::official_recall(record, vectordb::official_window(record));
  Json json;
  json["recall_at_k"] = recall.mean;
  json["recall_at_k_exact"] = recall.mean_exact;
  json["recall_epsilon"] = record.search.epsilon;
  json["num_queries_evaluated"] = recall.by_query.size();
  json["k"] = record.search.recall_k;
  json["min_recall"] = recall.min;
  json["max_recall"] = recall.max;
  json["mean_recall"] = recall.mean;
  json["median_recall"] = recall.median;
  json["p5_recall"] = recall.p5;
  json["p95_recall"] = recall.p95;
  json["p99_recall"] = recall.p99;
  Json list = Json::array(), map = Json::object();
  for (const auto& [query, value] : recall.by_query) {
    list.push_back(value);
    map.append(std::to_string(query), value);
  }
  json["per_query_recall"] = std::move(list);
  json["recall_by_query"] = std::move(map);
  return json;
}

/// What the block devices of the hosts did in a window. They are those of the clients, whatever server there is.
Json disk_io_json(const RunRecord& record, double seconds) {
  Json json, devices = Json::object();
  uint64_t read = 0, written = 0;
  const uint32_t window = vectordb::official_window(record);
  for (const vectordb::HostWindow& host : record.host_windows) {
    if (host.window != window) continue;
    for (const vectordb::DeviceUse& use : vectordb::without_partitions(host.devices)) {
      read += use.read_bytes;
      written += use.written_bytes;
      if (use.read_bytes + use.written_bytes == 0) continue;
      devices[use.device] = {{"bytes_read", use.read_bytes},
                             {"bytes_written", use.written_bytes},
                             {"read_formatted", formatted_bytes(use.read_bytes)},
                             {"write_formatted", formatted_bytes(use.written_bytes)}};
    }
  }
  const auto rate = [&](uint64_t bytes) { return seconds > 0 ? Json(static_cast<double>(bytes) / seconds) : Json(); };
  Json counters;
  counters["total_bytes_read"] = read;
  counters["total_bytes_read_per_sec"] = rate(read);
  counters["total_bytes_written"] = written;
  counters["total_bytes_written_per_sec"] = rate(written);
  counters["total_read_formatted"] = formatted_bytes(read);
  counters["total_write_formatted"] = formatted_bytes(written);
  counters["devices"] = std::move(devices);
  const auto mounts = read_file("/proc/self/mounts", "mounts");
  json["storage_target"] = storage_target(record.storage_root, mounts ? std::string_view(*mounts) : "");
  const Json* applies = json["storage_target"].find("applicable");
  const bool applicable = applies == nullptr || !(*applies == Json(false));
  json["applicable"] = applicable;
  json["status"] = applicable ? "OK" : "N/A";
  json["scope"] = "block devices of the client hosts";
  json["host_count"] = record.hosts.size();
  if (applicable) {
    json.update(counters);
  } else {
    json["client_local_io"] = std::move(counters);
    json["not_applicable_reason"] = "the storage root is on a network or an object store: no block device of this host";
  }
  return json;
}

/// The numbers that statistics.json, summary.json and the aggregate share.
Json numbers_json(const RunRecord& record, const WindowResult& result) {
  Json json;
  json["total_queries"] = result.official_queries;
  json["total_time_seconds"] = result.official_s;
  add_spread(json, result.official_latency_ms, "latency");
  json["throughput_qps"] = result.official_qps;
  json["batch_count"] = result.searches;
  json["successful_batches"] = result.searches - result.failed;
  json["failed_batches"] = result.failed;
  add_spread(json, result.batch_ms, "batch_time");
  json["recall"] = recall_json(record);
  json["disk_io"] = disk_io_json(record, result.official_s);
  return json;
}

Json mpi_json(uint32_t ranks) {
  Json seen = Json::array();
  for (uint32_t rank = 0; rank < ranks; ++rank) seen.push_back(rank);
  return {{"rank_count", ranks},           {"ranks_seen", seen},
          {"expected_ranks", ranks},       {"missing_ranks", Json::array()},
          {"failed_ranks", Json::array()}, {"malformed_payload_count", 0},
          {"partial_failure", false}};
}

}  // namespace

std::string formatted_bytes(uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.2f} {}", value, kUnits[unit]);
}

std::string config_text(const VectorDbContext& context, const RunRecord& record) {
  const vectordb::SearchSettings& search = record.search;
  const vectordb::WindowPlan plan =
      record.windows.empty() ? vectordb::WindowPlan{search.effort} : record.windows[vectordb::official_window(record)];
  const uint32_t effort = vectordb::effective_effort(record.facts.index, plan.effort, search.limit);
  const std::string_view word = vectordb::effort_word(record.facts.index);
  Json params = Json::object();
  if (!word.empty()) params[word] = effort;
  Json json;
  json["timestamp"] = context.run_datetime;
  json["processes"] = record.ranks;
  json["batch_size"] = search.batch;
  json["report_count"] = nullptr;
  json["vector_dim"] = record.source.dimension;
  json["host"] = record.server.host;
  json["port"] = record.server.port;
  json["collection_name"] = record.collection.name;
  json["runtime_seconds"] = search.mode == vectordb::SearchMode::kQueryCount ? Json() : Json(search.runtime_s);
  json["total_queries"] = search.mode == vectordb::SearchMode::kQueryCount ? Json(search.queries) : Json();
  json["search_limit"] = search.limit;
  json["search_ef"] = plan.effort;
  json["gt_collection"] = nullptr;  // exact answers are computed here
  json["num_query_vectors"] = search.query_vectors;
  json["no_create_flat"] = true;
  json["seed"] = search.query_seed;
  json["data_path"] = record.storage_root.empty() ? Json() : Json(record.storage_root);
  json["recall_k"] = search.recall_k;
  json["query_mode"] = search.planted ? "planted" : "independent";
  json["query_noise"] = search.noise;
  json["recall_epsilon"] = search.epsilon;
  json["metric_type"] = vectordb::metric_name(record.facts.metric);
  json["index_type"] = vectordb::index_name(record.facts.index);
  json["search_params"] = {{"metric_type", vectordb::metric_name(record.facts.metric)}, {"params", params}};
  return indented(json, kIndent);
}

std::string statistics_text(const RunRecord& record) {
  return indented(numbers_json(record, official_result(record)), kIndent);
}

std::string recall_stats_text(const RunRecord& record) {
  return indented(recall_json(record), kIndent);
}

std::string result_verdict_text(const RunRecord& record) {
  const bool valid = record.verdict == run::Verdict::kPassed;
  const OfficialRecall recall = vectordb::official_recall(record, vectordb::official_window(record));
  const uint64_t rows = record.source.rows;
  const double coverage = rows == 0 ? 0 : static_cast<double>(record.truth.rows) / static_cast<double>(rows);
  const std::string why = record.reasons.empty() ? "" : record.reasons.front();
  Json json;
  json["result"] = valid ? "valid" : "invalid: " + why;
  json["valid"] = valid;
  json["num_queries_evaluated"] = recall.by_query.size();
  const bool right = record.truth.rows_checked > 0 && record.truth.rows_right == record.truth.rows_checked;
  json["flat_setup"] = {
      {"ok", right && coverage == 1},
      {"coverage", coverage},
      {"total_vectors", rows},
      {"copied_vectors", 0},
      {"had_recoverable_error", false},
      {"reason", right ? "exact answers were computed by the client from the description of the vectors"
                       : "rows of the collection don't match its description"},
      {"reused", record.truth.reused}};
  json["recall_summary"] = {{"recall_at_k", recall.mean},
                            {"mean_recall", recall.mean},
                            {"min_recall", recall.min},
                            {"max_recall", recall.max},
                            {"num_queries_evaluated", recall.by_query.size()}};
  return indented(json, kIndent);
}

std::string multi_node_text(const VectorDbContext& context, const RunRecord& record) {
  const WindowResult result = official_result(record);
  Json json = numbers_json(record, result);
  json["benchmark_phase"] = "simple_bench";
  json["aggregation"] = "mpi_gather_rank_local_outputs_no_shared_filesystem";
  json["csv_file_count"] = record.ranks;
  json["mpi"] = mpi_json(record.ranks / std::max(1U, record.search.workers));
  json["hosts"] = hosts_of(context).size();
  Json& recall = json["recall"];
  recall["aggregation"] = "mpi_gather_per_query_recall_exact";
  recall.erase("k");
  recall.erase("recall_at_k");
  return indented(json, kIndent);
}

std::string load_statistics_text(const VectorDbContext& context, const RunRecord& record) {
  const vectordb::LoadResult result = vectordb::load_result(record);
  Json json, ranks = Json::array();
  for (const vectordb::RankLoad& load : record.loads) {
    ranks.push_back({{"rank", load.rank},
                     {"world_size", record.ranks},
                     {"phase", "load"},
                     {"start_time", static_cast<double>(load.start.wall_us) / kMicros},
                     {"end_time", static_cast<double>(load.finish.wall_us) / kMicros},
                     {"collection_name", record.collection.name},
                     {"num_vectors_global", record.source.rows},
                     {"vector_id_start", load.first},
                     {"vector_id_end_exclusive", load.end},
                     {"assigned_vectors", load.end - load.first},
                     {"inserted_vectors", load.inserted},
                     {"insert_seconds", to_seconds(load.finish.monotonic_ns - load.start.monotonic_ns)},
                     {"flush_seconds", 0.0},
                     {"return_code", 0},
                     {"error", nullptr}});
  }
  const auto seconds = [](const std::optional<double>& step) { return step ? Json(*step) : Json(); };
  json["benchmark_phase"] = "load";
  json["aggregation"] = "mpi_gather_no_shared_filesystem";
  json["inserted_vectors"] = result.inserted;
  json["assigned_vectors"] = result.assigned;
  json["total_time_seconds"] = result.insert_s;
  json["vectors_per_second"] = result.vectors_per_s;
  json["collection_flush_seconds"] = seconds(record.steps.flush_s);
  json["index_build_seconds"] = seconds(record.steps.build_s);
  json["rank_stats"] = std::move(ranks);
  json["mpi"] = mpi_json(record.ranks);
  json["hosts"] = hosts_of(context).size();
  return indented(json, kIndent);
}

std::string summary_text(const VectorDbContext& context, const RunRecord& record) {
  Json json;
  json["num_vectors"] = record.source.rows;
  json["dimension"] = record.source.dimension;
  json["inserted_vectors"] = record.facts.rows;
  json["index_type"] = vectordb::index_name(record.facts.index);
  json["database"]["database"] = vectordb::engine_word(record.engine);
  if (context.protocol == "object") json["database"]["storage_backend"] = record.storage_type;
  if (!record.searches) {
    const vectordb::LoadResult result = vectordb::load_result(record);
    json["vectors_per_second"] = result.vectors_per_s;
    json["insert_seconds"] = result.insert_s;
    json["index_build_seconds"] = record.steps.build_s ? Json(*record.steps.build_s) : Json();
    return indented(json, kIndent);
  }
  const WindowResult result = official_result(record);
  Json numbers = numbers_json(record, result);
  json["throughput_qps"] = result.official_qps;
  json["total_time_seconds"] = result.official_s;
  json["query_count"] = result.official_queries;
  for (const char* left : {"throughput_qps", "total_time_seconds", "recall"}) numbers.erase(left);
  json["recall"] = vectordb::official_recall(record, vectordb::official_window(record)).mean;
  json.update(numbers);
  return indented(json, kIndent);
}

Status write_batches(const vectordb::WorkerWindow& worker, const Sink& sink) {
  std::string text = "process_id,batch_id,timestamp,batch_size,batch_time_seconds,avg_query_time_seconds,success\n";
  uint64_t number = 0;
  const double start = static_cast<double>(worker.start.wall_us) / kMicros;
  for (const vectordb::BatchSample& sample : worker.batches) {
    const double took = static_cast<double>(sample.took_ns) * 1e-9;
    fmt::format_to(std::back_inserter(text), "{},{},{:.6f},{},{:.9f},{:.9f},{}\n", worker.rank, ++number,
                   start + static_cast<double>(sample.at_ns) * 1e-9, sample.queries, took, took / sample.queries,
                   sample.ok ? "True" : "False");
    if (text.size() < kFlushBytes) continue;
    if (Status written = sink(text); !written) return written;
    text.clear();
  }
  return sink(text);
}

}  // namespace mlps::results
