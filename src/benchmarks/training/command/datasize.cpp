#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/log.hpp"
#include "benchmarks/training/command/execute.hpp"
#include "flags/text.hpp"
#include "gates/separation.hpp"

namespace mlps::cli {
namespace {

using workloads::TrainingWorkload;

// Where a run's definition and the datagen template disagree, the data set must follow the run.
std::vector<std::string> differences(const TrainingOptions& options, const TrainingWorkload& workload) {
  std::vector<std::string> params;
  const auto datagen = workloads::load_training_workload(options.model, "", {});
  if (!datagen || !options.workload_file.empty()) return params;
  for (const char* key : {"dataset.format", "dataset.num_samples_per_file", "dataset.record_length_bytes",
                          "dataset.record_length_bytes_stdev"}) {
    const auto wanted = workload.values.find(key);
    if (wanted == workload.values.end()) continue;
    const auto there = datagen->values.find(key);
    if (there != datagen->values.end() && there->second.value == wanted->second.value) continue;
    params.push_back(fmt::format("{}={}", key, wanted->second.value));
  }
  return params;
}

// Returns the word that the data folder needs: "object" for an object URI, or a bare prefix below BUCKET.
std::string_view word_for(const std::string& data_dir, const Environment& environment) {
  const auto location = parse_location(data_dir);
  const bool is_uri = data_dir.find("://") != std::string::npos;
  const bool is_path = data_dir.empty() || std::string_view("/.~").find(data_dir.front()) != std::string_view::npos;
  const bool is_object =
      is_uri ? location && location->is_object_store() : !is_path && environment.get("BUCKET").has_value();
  return storage_word(is_object ? AccessProtocol::kObject : AccessProtocol::kFile);
}

// Returns how the processes are to be started, as it was said to datasize.
std::string host_flags(const HostOptions& hosts) {
  const HostOptions usual;
  std::string flags;
  if (hosts.hosts != usual.hosts) flags += " --hosts " + shell_quoted(join(hosts.hosts, ","));
  if (hosts.exec_type != usual.exec_type) flags += " --exec-type " + hosts.exec_type;
  if (hosts.mpi_bin != usual.mpi_bin) flags += " --mpi-bin " + shell_quoted(hosts.mpi_bin);
  if (hosts.mpi_btl != usual.mpi_btl) flags += " --mpi-btl " + hosts.mpi_btl;
  if (hosts.oversubscribe) flags += " --oversubscribe";
  if (hosts.allow_run_as_root) flags += " --allow-run-as-root";
  for (const std::string& text : hosts.mpi_params) flags += " --mpi-params=" + shell_quoted(text);
  return flags;
}

std::string datagen_command(const TrainingOptions& options, const TrainingWorkload& workload,
                            const training::Datasize& size, const Environment& environment) {
  const CommonOptions& common = options.common;
  std::string command = datagen_words(options, environment);
  if (!options.workload_file.empty()) command += " --workload-file " + shell_quoted(options.workload_file);
  command += fmt::format(" --params dataset.num_files_train={}", size.files);
  if (size.advised_subfolders > 0 && !options.gives_param("dataset.num_subfolders_train")) {
    command += fmt::format(" dataset.num_subfolders_train={}", size.advised_subfolders);
  }
  for (const std::string& param : differences(options, workload)) command += ' ' + shell_quoted(param);
  for (const auto& [key, value] : common.params) {
    const bool decided = key == "dataset.num_files_train";
    if (key.starts_with("dataset.") && !decided) command += ' ' + shell_quoted(key + "=" + value);
  }
  return command;
}

// Finds out whether data and results lie apart, where the data folder is there already: what mlpstorage 3.0 keeps as
// evidence. What stands in the way is no reason to keep the answer back.
std::optional<gates::SeparationFinding> separation_of(const TrainingOptions& options) {
  const auto folder = parse_location(options.data_dir);
  std::error_code ignored;
  if (!folder || !folder->is_file_system() || !std::filesystem::is_directory(folder->path(), ignored))
    return std::nullopt;
  auto finding = gates::compare_file_systems(folder->path(), options.common.results_dir);
  if (finding) return std::move(*finding);
  log::warning("no fs_separation.json: {}", finding.error().message);
  return std::nullopt;
}

// Returns whether the answer goes into the results directory: where there is one and the system has a name.
bool records_datasize(const CommonOptions& common) {
  return !common.orgname.empty() && !common.systemname.empty() && !common.dry_run;
}

}  // namespace

std::string datagen_words(const TrainingOptions& options, const Environment& environment) {
  const CommonOptions& common = options.common;
  const auto given = [](const std::string& text, const char* placeholder) {
    return text.empty() ? std::string(placeholder) : shell_quoted(text);
  };
  const std::string_view word =
      options.protocol ? storage_word(*options.protocol) : word_for(options.data_dir, environment);
  return fmt::format(
      "mlpstorage {} training {} datagen {} --num-processes {} --data-dir {} --results-dir {} --systemname {}{}{}",
      mode_name(common.mode), options.model, word, options.processes, given(options.data_dir, "DATA_DIR"),
      given(common.results_dir, "RESULTS_DIR"), given(common.systemname, "SYSTEM"), host_flags(options.hosts),
      common.skip_fs_separation_gate ? " --skip-fs-separation-gate" : "");
}

int execute_datasize(const TrainingCall& call) {
  const TrainingOptions& options = call.options;
  auto chosen = choose_workload(options);
  if (!chosen) return report_failures(chosen.error());
  log_notes(chosen->workload);
  results::DatasizeAnswer answer;
  answer.mode = mode_name(options.common.mode);
  answer.workload = chosen->workload;
  answer.request = datasize_request(options, call.cluster.memory_bytes());
  answer.size = training::datasize(answer.workload, answer.request);
  answer.datagen_command = datagen_command(options, answer.workload, answer.size, call.context.environment);
  print(options.common.json ? results::datasize_json(answer) : results::datasize_text(answer));
  if (!records_datasize(options.common)) return kExitSuccess;
  const auto folder = begin_run_folder(options.common, training_folder(options));
  if (!folder) return report_failures({folder.error()});
  const auto set = [&](const char* key, uint64_t value) {
    chosen->workload.values[key] = {std::to_string(value), workloads::ValueSource::kTool};
  };
  set("dataset.num_files_train", answer.size.files);
  set("dataset.num_subfolders_train", 0);
  set("dataset.total_disk_bytes", answer.size.total_bytes);
  // Nothing was placed anywhere: this process stands for all.
  const std::vector<world::HostShare> here = {{world::host_name(), 0, options.processes}};
  results::RunContext about;
  fill_context(options, options.processes, *folder, call.cluster.members(call.group, here), about);
  add_training(options, *chosen, about);
  if (!options.data_dir.empty()) about.separation = separation_of(options);
  const results::RunOutcome outcome = outcome_of(std::nullopt, {}, facts_at_end(call.group));
  return finish(*folder, results::write_datasize(*folder, about, answer, call.context.invocation_start, outcome),
                outcome);
}

}  // namespace mlps::cli
