#include "benchmarks/training/results/files.hpp"

#include <fmt/format.h>

#include "benchmarks/training/results/dlio_files.hpp"
#include "results/folder_writer.hpp"
#include "results/record_common.hpp"
#include "results/redact.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using run::Verdict;
using training::GenerateRecord;
using training::RunRecord;

std::string datagen_log_text(const GenerateRecord& record) {
  const auto line = [](const Stamp& at, const std::string& text) {
    return fmt::format("[OUTPUT] {} {}\n", iso_local(at.wall_us), text);
  };
  std::string text = line(record.run_start, fmt::format("Starting data generation: {} files", record.files));
  if (record.verdict != run::Verdict::kPassed) return text + no_metric_block(record, record.run_end.wall_us);
  return text + line(record.run_end, fmt::format("Generation done: {} files ({} bytes) written, {} found whole",
                                                 record.files_written, record.stats.bytes, record.files_kept));
}

// Lengths are whole in nearly every definition, and a reader of mlpstorage 3.0 expects them so.
Json whole_if_possible(double value) {
  const auto whole = static_cast<int64_t>(value);
  return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

}  // namespace

std::string manifest_snapshot_text(const std::string& location, const std::vector<std::string>& overridden,
                                   const training::Manifest& manifest, int64_t consumed_us) {
  Json body;
  const auto add_text = [&](const char* key, const std::string& text) {
    if (!text.empty()) body[key] = text;
  };
  body["schema_version"] = 1;
  body["model"] = manifest.model;
  body["num_files_train"] = manifest.num_files_train;
  body["num_samples_per_file"] = manifest.num_samples_per_file;
  body["record_length_bytes"] = whole_if_possible(manifest.record_length_bytes);
  body["num_subfolders_train"] = manifest.num_subfolders_train;
  add_text("dataset_format", manifest.dataset_format);
  add_text("rules_edition", manifest.rules_edition);
  add_text("created_at", manifest.created_at);
  add_text("mlpstorage_version", manifest.tool_version);
  add_text("source_datagen_result_dir", manifest.source_result_dir);
  Json json;
  json["schema"] = "mlps-datagen-manifest-snapshot/1";
  json["consumed_at"] = iso_utc(consumed_us);
  json["location"] = without_secrets(std::string_view(location));
  json["overridden"] = overridden;
  json["manifest"] = std::move(body);
  return indented(json, 2);
}

Status write_started(const RunFolder& folder, const RunContext& context, const RunRecord& record,
                     const std::string& plan) {
  return write_into(folder, context, [&](FolderWriter& writer) { write_begin(writer, context, record, plan); });
}

Status write_finished(const RunFolder& folder, const RunContext& context, const RunRecord& record,
                      const std::string& plan, const RunOutcome& outcome) {
  return write_into(folder, context, [&](FolderWriter& writer) {
    write_end_record(writer, folder, context, record_json(context, record, outcome));
    for (uint32_t rank = 0; rank < record.plan.accelerators; ++rank) {
      if (!writer.goes_on(outcome)) break;
      if (!holds_rank(record, rank)) continue;
      writer.write_piecewise(fmt::format("{}_output.json", rank),
                             [&](const Sink& sink) { return write_rank_output(context, record, rank, sink); });
      writer.write(fmt::format("{}_per_epoch_stats.json", rank), rank_stats_text(record, rank));
    }
    writer.write("dlio.log", dlio_log_text(context, record));
    write_end(writer, context, record, plan + "\n" + result_table(record), outcome);
    // The last file: a folder in which anything is missing has no summary.json.
    if (record.verdict == run::Verdict::kPassed) {
      writer.write("summary.json", summary_text(context, record), Durability::kDurable);
    }
    writer.seal(outcome);
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
    write_end(writer, context, record, plan + "\n" + result_table(record), outcome);
    writer.seal(outcome);
  });
}

Status write_datasize(const RunFolder& folder, const RunContext& context, const DatasizeAnswer& answer,
                      const Stamp& invocation_start, const RunOutcome& outcome) {
  RunFacts facts;
  facts.invocation_start = facts.run_start = invocation_start;
  facts.run_end = outcome.invocation_end;
  facts.verdict = run::Verdict::kPassed;
  return write_into(folder, context, [&](FolderWriter& writer) {
    write_origin(writer, context);
    writer.write(log_name(context, "stdout"), datasize_text(answer));
    write_common_files(writer, context, facts, outcome);
    writer.seal(outcome);
  });
}

}  // namespace mlps::results
