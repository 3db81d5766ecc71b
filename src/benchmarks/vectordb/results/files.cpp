#include "benchmarks/vectordb/results/files.hpp"

#include <fmt/format.h>

#include "benchmarks/vectordb/metrics.hpp"
#include "benchmarks/vectordb/results/official.hpp"
#include "benchmarks/vectordb/results/views.hpp"
#include "results/folder_writer.hpp"
#include "results/provenance.hpp"

namespace mlps::results {
namespace {

using vectordb::RunRecord;

std::string plan_text(const VectorDbContext& context, const RunRecord& record) {
  return plan_table(record, {context.mode, context.command, record.ranks});
}

void write_search_files(FolderWriter& writer, const VectorDbContext& context, const RunRecord& record,
                        const RunOutcome& outcome) {
  writer.write("config.json", config_text(context, record));
  writer.write("result_verdict.json", result_verdict_text(record));
  const uint32_t window = vectordb::official_window(record);
  for (const vectordb::WorkerWindow& worker : record.workers) {
    if (worker.window != window || !writer.goes_on(outcome)) continue;
    writer.write_piecewise(fmt::format("{}_benchmark_p{}.csv", vectordb::engine_word(record.engine), worker.rank),
                           [&](const Sink& sink) { return write_batches(worker, sink); });
  }
  if (record.workers.empty()) return;
  writer.write("recall_stats.json", recall_stats_text(record));
  // As mlpstorage 3.0: a run that is not valid has no statistics.
  if (record.verdict != run::Verdict::kPassed) return;
  writer.write("statistics.json", statistics_text(record));
  if (record.ranks == record.search.workers) return;
  for (const char* folder : {"vectordb", "vectordb/simple"}) writer.make_folder(folder);
  const std::string text = multi_node_text(context, record);
  writer.write("vectordb/simple/statistics.json", text);
  writer.write("vectordb/simple/vdb_multi_node_summary.json", text);
}

void write_load_files(FolderWriter& writer, const VectorDbContext& context, const RunRecord& record) {
  if (record.loads.empty()) return;
  for (const char* folder : {"vectordb", "vectordb/load"}) writer.make_folder(folder);
  writer.write("vectordb/load/load_statistics.json", load_statistics_text(context, record));
}

}  // namespace

void complete_values(const RunRecord& record, workloads::Values& values) {
  if (!record.searches || record.source.rows == 0) return;
  for (const char* prefix : {"", "dataset."}) {
    const auto set = [&](const char* key, uint64_t value) {
      values[fmt::format("{}{}", prefix, key)] = {std::to_string(value), workloads::ValueSource::kWorkloadFile};
    };
    set("num_vectors", record.source.rows);
    set("dimension", record.source.dimension);
  }
  values["index.metric_type"] = {std::string(vectordb::metric_name(record.facts.metric)),
                                 workloads::ValueSource::kWorkloadFile};
}

Status write_started(const RunFolder& folder, const VectorDbContext& context, const RunRecord& record) {
  return write_into(folder, context,
                    [&](FolderWriter& writer) { write_begin(writer, context, record, plan_text(context, record)); });
}

Status write_finished(const RunFolder& folder, const VectorDbContext& context, const RunRecord& record,
                      const RunOutcome& outcome) {
  return write_into(folder, context, [&](FolderWriter& writer) {
    write_end_record(writer, folder, context, record_json(context, record, outcome));
    writer.write(kProvenanceFile, provenance_text(context));  // the parameters that the class is of are known now
    if (record.searches) {
      write_search_files(writer, context, record, outcome);
    } else {
      write_load_files(writer, context, record);
    }
    write_end(writer, context, record, plan_text(context, record) + "\n" + result_table(record), outcome);
    // The last file: a folder in which anything is missing has no summary.json.
    if (record.verdict == run::Verdict::kPassed) {
      writer.write("summary.json", summary_text(context, record), Durability::kDurable);
    }
    writer.seal(outcome);
  });
}

}  // namespace mlps::results
