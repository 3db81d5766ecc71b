#include "results/folder_writer.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/log.hpp"
#include "results/code_image.hpp"
#include "results/config_json.hpp"
#include "results/file_list.hpp"
#include "results/findings.hpp"
#include "results/host_json.hpp"
#include "results/metadata.hpp"
#include "results/provenance.hpp"
#include "results/record_common.hpp"
#include "results/redact.hpp"
#include "results/run_hosts.hpp"
#include "results/system_description.hpp"

namespace mlps::results {
namespace {

constexpr int kFileIndent = 2;

void write_separation(FolderWriter& writer, const RunContext& context) {
  if (context.separation) writer.write("fs_separation.json", separation_text(*context.separation));
}

std::string stderr_text(const RunFacts& facts, const RunOutcome& outcome) {
  std::string text;
  for (const std::string& warning : outcome.warnings) text += without_secrets(std::string_view(warning)) + '\n';
  if (facts.error) text += without_secrets(std::string_view(render(*facts.error))) + '\n';
  return text;
}

}  // namespace

void FolderWriter::write(const std::string& name, const std::string& text, Durability durability) {
  if (status_) status_ = write_file(path_ + "/" + name, text, durability);
}

void FolderWriter::write_piecewise(const std::string& name, const std::function<Status(const Sink&)>& body) {
  if (status_) status_ = write_file_piecewise(path_ + "/" + name, body, Durability::kRenamed);
}

void FolderWriter::make_folder(const std::string& name) {
  const std::string folder = path_ + "/" + name;
  if (status_ && ::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
    status_ = fail(errno_error(errno, "create folder " + folder));
  }
}

void FolderWriter::seal(const RunOutcome& outcome) {
  if (!status_) return;
  const Result<std::string> list = file_list_text(path_, outcome.interrupted);
  if (list) {
    write(kFileListFile, *list);
  } else if (outcome.interrupted && outcome.interrupted()) {
    log::warning("{} has no {}: the run was told to stop", path_, kFileListFile);
  } else {
    check(fail(list.error()));
  }
  remove(kIncompleteFile);
}

void FolderWriter::check(Status status) {
  if (status_) status_ = std::move(status);
}

bool FolderWriter::goes_on(const RunOutcome& outcome) {
  const std::optional<Error> why = status_ && outcome.interrupted ? outcome.interrupted() : std::nullopt;
  if (why) {
    status_ = fail(ErrorCode::kInterrupted, fmt::format("the result files are not all written: {}", why->message), {},
                   fmt::format("{} has the whole record", path_ + "/" + kRecordFile));
  }
  return status_.has_value();
}

void FolderWriter::remove(const std::string& name) {
  const std::string file = path_ + "/" + name;
  if (status_ && ::unlink(file.c_str()) != 0 && errno != ENOENT) status_ = fail(errno_error(errno, "remove " + file));
}

std::string incomplete_text(const RunContext& context) {
  const RunMember& first = context.members.front();
  return fmt::format("This run has not ended: process {} on {} carries it out, or was killed. It is not a result.\n",
                     first.pid, first.host);
}

Status check_context(const RunContext& context) {
  const std::optional<Json> args = parse_json(context.args_json);
  if (args && args->is_object()) return check_members(context);
  return fail(ErrorCode::kInternal, "the snapshot of the options for the result files is not a JSON object", {},
              "report this as a defect of mlpstorage");
}

// The edition, and in closed and open a pointer to the image of this build, without a line end as mlpstorage 3.0 has
// it.
void write_origin(FolderWriter& writer, const RunContext& context) {
  writer.write(kProvenanceFile, provenance_text(context));
  if (context.command == "run" && !context.results_dir.empty()) writer.check(begin_system_description(context));
  if (context.mode == "whatif" || context.results_dir.empty()) return;
  writer.check(store_code_image(context.results_dir));
  writer.write(kCodeImagePointer, code_image_pointer());
}

void write_start_files(FolderWriter& writer, const RunContext& context) {
  write_origin(writer, context);
  writer.make_folder("dlio_config");
  writer.write("dlio_config/config.yaml", config_yaml(context));
  writer.write("dlio_config/hydra.yaml", hydra_yaml(context));
  writer.write("dlio_config/overrides.yaml", overrides_yaml(context));
  writer.write(log_name(context, "stderr"), "");
  write_separation(writer, context);
  if (!context.manifest_snapshot.empty()) writer.write(kManifestSnapshotFile, context.manifest_snapshot);
}

void write_end_record(FolderWriter& writer, const RunFolder& folder, const RunContext& context,
                      const std::string& record) {
  folder.release_room();
  writer.write(kRecordFile, record, Durability::kDurable);
  if (writer.status()) return;
  std::error_code code;
  const std::filesystem::path place = std::filesystem::temp_directory_path(code);
  const std::string path = (place / fmt::format("{}_{}_{}", context.run_datetime, ::getpid(), kRecordFile)).string();
  if (!code && write_file(path, record))
    log::error("the record of this run is in {}: its folder did not take it", path);
}

void write_common_files(FolderWriter& writer, const RunContext& context, const RunFacts& facts,
                        const RunOutcome& outcome) {
  const Json cluster = cluster_info_json(hosts_at_start(context), collection_method(context.members.size()));
  writer.write(log_name(context, "stderr"), stderr_text(facts, outcome));
  writer.write(context.benchmark + "_cluster_info.json", indented(cluster, kFileIndent));
  write_separation(writer, context);
  writer.write(context.benchmark + "_" + context.run_datetime + "_metadata.json",
               metadata_text(context, facts, outcome), Durability::kDurable);
}

void write_end(FolderWriter& writer, const RunContext& context, const RunFacts& facts, const std::string& tables,
               const RunOutcome& outcome) {
  writer.write(log_name(context, "stdout"), tables + findings_text(outcome.findings) + no_result_text(context, facts));
  write_common_files(writer, context, facts, outcome);
}

}  // namespace mlps::results
