#include "benchmarks/training/results/files.hpp"

#include <fmt/format.h>

#include "benchmarks/training/results/dlio_files.hpp"
#include "results/findings.hpp"
#include "results/folder_writer.hpp"
#include "results/metadata.hpp"
#include "results/record_common.hpp"
#include "results/redact.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using run::Verdict;
using training::GenerateRecord;
using training::RunRecord;

template <class Record>
void write_begin(FolderWriter& writer, const RunContext& context, const Record& record, const std::string& plan) {
  writer.write(kRecordFile, record_json(context, record, std::nullopt), Durability::kDurable);
  writer.write(log_name(context, "stdout"), plan);
  write_start_files(writer, context);
}

template <class Record>
void write_end(FolderWriter& writer, const RunContext& context, const Record& record, const std::string& plan,
               const RunOutcome& outcome) {
  writer.write(log_name(context, "stdout"), plan + '\n' + result_table(record) + findings_text(outcome.findings));
  write_common_files(writer, context, record, outcome);
}

std::string datagen_log_text(const GenerateRecord& record) {
  const auto line = [](const Stamp& at, const std::string& text) {
    return fmt::format("[OUTPUT] {} {}\n", iso_local(at.wall_us), text);
  };
  std::string text = line(record.run_start, fmt::format("Starting data generation: {} files", record.files));
  if (record.verdict != run::Verdict::kPassed) return text + no_metric_block(record, record.run_end.wall_us);
  return text + line(record.run_end, fmt::format("Generation done: {} files ({} bytes) written, {} found whole",
                                                 record.files_written, record.stats.bytes, record.files_kept));
}

}  // namespace

std::string manifest_copy_text(const std::string& location, const std::vector<std::string>& overridden,
                               const std::string& manifest) {
  Json json;
  json["location"] = without_secrets(std::string_view(location));
  json["overridden_codes"] = overridden;
  json["manifest"] = parse_json(manifest).value_or(nullptr);
  return indented(json, 2);
}

Status write_started(const RunFolder& folder, const RunContext& context, const RunRecord& record,
                     const std::string& plan, const std::string& manifest) {
  return write_into(folder, context, [&](FolderWriter& writer) {
    write_begin(writer, context, record, plan);
    if (!manifest.empty()) writer.write("datagen-manifest.json", manifest);
  });
}

Status write_finished(const RunFolder& folder, const RunContext& context, const RunRecord& record,
                      const std::string& plan, const RunOutcome& outcome) {
  return write_into(folder, context, [&](FolderWriter& writer) {
    write_end_record(writer, folder, context, record_json(context, record, outcome));
    for (uint32_t rank = 0; rank < record.plan.accelerators; ++rank) {
      if (!holds_rank(record, rank)) continue;
      writer.write_piecewise(fmt::format("{}_output.json", rank),
                             [&](const Sink& sink) { return write_rank_output(context, record, rank, sink); });
      writer.write(fmt::format("{}_per_epoch_stats.json", rank), rank_stats_text(record, rank));
    }
    writer.write("dlio.log", dlio_log_text(record));
    write_end(writer, context, record, plan, outcome);
    // The last file: a folder in which anything is missing has no summary.json.
    if (record.verdict == run::Verdict::kPassed) {
      writer.write("summary.json", summary_text(context, record), Durability::kDurable);
    }
  });
}

Status write_started(const RunFolder& folder, const RunContext& context, const GenerateRecord& record,
                     const std::string& plan) {
  return write_into(folder, context, [&](FolderWriter& writer) { write_begin(writer, context, record, plan); });
}

Status write_finished(const RunFolder& folder, const RunContext& context, const GenerateRecord& record,
                      const std::string& plan, const RunOutcome& outcome) {
  return write_into(folder, context, [&](FolderWriter& writer) {
    write_end_record(writer, folder, context, record_json(context, record, outcome));
    writer.write("dlio.log", datagen_log_text(record));
    write_end(writer, context, record, plan, outcome);
  });
}

Status write_datasize(const RunFolder& folder, const RunContext& context, const DatasizeAnswer& answer,
                      const Stamp& invocation_start, const RunOutcome& outcome) {
  RunFacts facts;
  facts.invocation_start = facts.run_start = invocation_start;
  facts.run_end = outcome.invocation_end;
  facts.verdict = run::Verdict::kPassed;
  return write_into(folder, context, [&](FolderWriter& writer) {
    writer.write(log_name(context, "stdout"), datasize_text(answer));
    write_common_files(writer, context, facts, outcome);
  });
}

}  // namespace mlps::results
