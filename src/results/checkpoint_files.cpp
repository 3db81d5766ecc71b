#include "results/checkpoint_files.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>

#include "results/checkpoint_views.hpp"
#include "results/config_json.hpp"
#include "results/dlio_files.hpp"
#include "results/host_json.hpp"
#include "results/metadata.hpp"
#include "results/record_parts.hpp"
#include "results/redact.hpp"

namespace mlps::results {
namespace {

using checkpointing::RunRecord;
using checkpointing::Verdict;

constexpr const char* kRecordFile = "mlpstorage_record.json";
constexpr int kIndent = 2;

// Writes into one folder until something fails; what failed first is kept.
class FolderWriter {
 public:
  explicit FolderWriter(std::string path) : path_(std::move(path)) {}

  void write(const std::string& name, const std::string& text, Durability durability = Durability::kRenamed) {
    if (status_) status_ = write_file(path_ + "/" + name, text, durability);
  }

  void make_folder(const std::string& name) {
    const std::string folder = path_ + "/" + name;
    if (status_ && ::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
      status_ = fail(errno_error(errno, "create folder " + folder));
    }
  }

  Status status() const { return status_; }

 private:
  std::string path_;
  Status status_;
};

Status check_args(const RunContext& context) {
  if (Json::parse(context.args_json, nullptr, false).is_object()) return {};
  return fail(ErrorCode::kInternal, "the snapshot of the options for the result files is not a JSON object", {},
              "report this as a defect of mlpstorage");
}

std::string plan_text(const RunContext& context, const RunRecord& record) {
  return plan_table(context.workload, record.plan, record.io, plan_details(context, record));
}

std::string stderr_text(const RunRecord& record, const RunOutcome& outcome) {
  std::string text;
  for (const std::string& warning : outcome.warnings) text += without_secrets(std::string_view(warning)) + '\n';
  if (record.error) text += without_secrets(std::string_view(render(*record.error))) + '\n';
  return text;
}

void write_separation(FolderWriter& writer, const RunContext& context) {
  if (context.separation) writer.write("fs_separation.json", separation_text(*context.separation));
}

void write_start_files(FolderWriter& writer, const RunContext& context, const RunRecord& record) {
  writer.write(kRecordFile, record_json(context, record, std::nullopt), Durability::kDurable);
  writer.make_folder("dlio_config");
  writer.write("dlio_config/config.yaml", config_yaml(context));
  writer.write("dlio_config/hydra.yaml", hydra_yaml(context));
  writer.write("dlio_config/overrides.yaml", overrides_yaml(context));
  writer.write(kStdoutLog, plan_text(context, record));
  writer.write(kStderrLog, "");
  write_separation(writer, context);
}

// Thousands of small files at 1,024 ranks: renamed into place, but not made durable one by one. The record, which
// holds everything in them, is durable.
void write_rank_files(FolderWriter& writer, const RunContext& context, const RunRecord& record) {
  const std::string output = rank_output_text(context, record);
  const std::vector<std::string> stats = rank_stats_texts(record);
  for (size_t i = 0; i < stats.size(); ++i) {
    const std::string rank = std::to_string(record.plan.ranks[i].rank);
    writer.write(rank + "_output.json", output);
    writer.write(rank + "_per_epoch_stats.json", stats[i]);
  }
}

void write_end_files(FolderWriter& writer, const RunContext& context, const RunRecord& record,
                     const RunOutcome& outcome) {
  write_rank_files(writer, context, record);
  writer.write("dlio.log", dlio_log_text(record));
  writer.write(kStdoutLog, plan_text(context, record) + '\n' + result_table(record));
  writer.write(kStderrLog, stderr_text(record, outcome));
  writer.write("checkpointing_cluster_info.json", indented(cluster_info_json(context.host), kIndent));
  write_separation(writer, context);
  writer.write("checkpointing_" + context.run_datetime + "_metadata.json", metadata_text(context, record, outcome),
               Durability::kDurable);
  if (record.verdict == Verdict::kPassed) {
    writer.write("summary.json", summary_text(context, record), Durability::kDurable);
  }
  writer.write(kRecordFile, record_json(context, record, outcome), Durability::kDurable);
}

// The libraries below throw when memory runs out or a defect of ours gives them a wrong type.
template <class Body>
Status guarded(const RunFolder& folder, const RunContext& context, Body&& body) {
  if (Status status = check_args(context); !status) return status;
  try {
    FolderWriter writer(folder.path);
    body(writer);
    return writer.status();
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, "write result files in " + folder.path + ": " + error.what());
  }
}

}  // namespace

Status write_started(const RunFolder& folder, const RunContext& context, const RunRecord& record) {
  return guarded(folder, context, [&](FolderWriter& writer) { write_start_files(writer, context, record); });
}

Status write_finished(const RunFolder& folder, const RunContext& context, const RunRecord& record,
                      const RunOutcome& outcome) {
  return guarded(folder, context, [&](FolderWriter& writer) { write_end_files(writer, context, record, outcome); });
}

}  // namespace mlps::results
