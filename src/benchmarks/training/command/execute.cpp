#include "benchmarks/training/command/execute.hpp"

#include <filesystem>

#include "base/log.hpp"
#include "benchmarks/training/results/class_keys.hpp"
#include "benchmarks/training/results/files.hpp"
#include "gates/separation.hpp"
#include "location/location.hpp"
#include "session/options_json.hpp"

namespace mlps::cli {
namespace {

int show_plan(const TrainingOptions& options, const PreparedRun& prepared) {
  const workloads::TrainingWorkload& workload = prepared.chosen.workload;
  print(options.common.json ? results::plan_json(workload, prepared.plan, prepared.reads, prepared.details)
                            : results::plan_table(workload, prepared.plan, prepared.reads, prepared.details));
  return kExitSuccess;
}

int show_plan(const TrainingOptions& options, const PreparedDatagen& prepared) {
  print(options.common.json ? results::plan_json(prepared.plan, prepared.details)
                            : results::plan_table(prepared.plan, prepared.details));
  return kExitSuccess;
}

int datasize(const TrainingCall& call, const Environment& environment) {
  const auto prepared = prepare_datasize(call.options, environment, call.cluster.memory_bytes());
  if (!prepared) return report_failures(prepared.error());
  return execute_datasize(call, *prepared);
}

int datagen(const TrainingCall& call, const Environment& environment) {
  const TrainingOptions& options = call.options;
  auto prepared = prepare_datagen(options, environment, call.group.transport().size());
  if (const auto status = call.group.check_consensus(prepared ? std::vector<Error>() : prepared.error()))
    return *status;
  const bool shows = call.group.is_process0() && !options.common.json && !options.common.quiet;
  if (options.common.dry_run) return call.group.is_process0() ? show_plan(options, *prepared) : kExitSuccess;
  if (shows) show_plan(options, *prepared);
  return execute_datagen(call, std::move(*prepared));
}

int run(const TrainingCall& call, const Environment& environment) {
  const TrainingOptions& options = call.options;
  auto prepared = prepare_run(options, environment, call.cluster.memory_bytes());
  if (const auto status = call.group.check_consensus(prepared ? std::vector<Error>() : prepared.error()))
    return *status;
  const bool shows = options.which == TrainingCommand::kConfigview;
  if (shows && !options.common.json) print(configuration_text(prepared->chosen.workload.values));
  if (shows || options.common.dry_run) return call.group.is_process0() ? show_plan(options, *prepared) : kExitSuccess;
  if (call.group.is_process0() && !options.common.json && !options.common.quiet) show_plan(options, *prepared);
  return execute_run(call, std::move(*prepared));
}

// Finds out whether data and results lie apart, where the data folder is there already: what mlpstorage 3.0 keeps as
// evidence. What stands in the way is no reason to keep the answer back.
std::optional<gates::SeparationFinding> separation_of(const TrainingOptions& options) {
  const auto folder = parse_location(options.data_dir);
  std::error_code ignored;
  if (!folder || !folder->is_file_system() || !std::filesystem::is_directory(folder->path(), ignored))
    return std::nullopt;
  std::vector<std::string> warnings;
  auto finding = gates::compare_file_systems(folder->path(), options.common.results_dir, warnings);
  for (const std::string& warning : warnings) log::warning("{}", warning);
  if (finding) return std::move(*finding);
  log::warning("no fs_separation.json: {}", finding.error().message);
  return std::nullopt;
}

// Returns whether the answer goes into the results directory: where there is one and the system has a name.
bool records_datasize(const CommonOptions& common) {
  return !common.orgname.empty() && !common.systemname.empty() && !common.dry_run;
}

}  // namespace

results::RunContext training_context(const TrainingOptions& options, const ChosenWorkload& chosen,
                                     const results::RunFolder& folder, std::vector<results::RunMember> members) {
  results::RunContext context;
  fill_context(options, options.processes, folder, std::move(members), context);
  context.class_keys = &results::kTrainingClass;
  context.args_json = options_json(options);
  context.workload_name = chosen.workload.file_name;
  context.values = chosen.workload.values;
  context.overrides = chosen.overrides;
  if (!options.workload_file.empty() && options.which == TrainingCommand::kRun) {
    context.no_result_because.push_back("the workload is that of " + options.workload_file + ", not one of the rules");
  }
  return context;
}

Result<results::RunFolder> begin_training_folder(const TrainingOptions& options) {
  results::RunFolderRequest where;
  where.model = options.model;
  where.benchmark = options.benchmark;
  where.command = options.command;
  return begin_run_folder(options.common, where);
}

int execute_datasize(const TrainingCall& call, const PreparedDatasize& prepared) {
  const TrainingOptions& options = call.options;
  const results::DatasizeAnswer& answer = prepared.answer;
  print(options.common.json ? results::datasize_json(answer) : results::datasize_text(answer));
  if (!records_datasize(options.common)) return kExitSuccess;
  const auto folder = begin_training_folder(options);
  if (!folder) return report_failures({folder.error()});
  ChosenWorkload chosen = prepared.chosen;
  const auto set = [&](const char* key, uint64_t value) {
    chosen.workload.values[key] = {std::to_string(value), workloads::ValueSource::kTool};
  };
  set("dataset.num_files_train", answer.size.files);
  set("dataset.num_subfolders_train", 0);
  set("dataset.total_disk_bytes", answer.size.total_bytes);
  // Nothing was placed anywhere: this process stands for all.
  const std::vector<world::HostShare> here = {{world::host_name(), 0, options.processes}};
  results::RunContext about = training_context(options, chosen, *folder, call.cluster.members(call.group, here));
  if (!options.data_dir.empty()) about.separation = separation_of(options);
  const results::RunOutcome outcome = outcome_of(std::nullopt, {}, facts_at_end(call.group));
  return finish(*folder, results::write_datasize(*folder, about, answer, call.invocation_start, outcome), outcome);
}

int execute_training(const TrainingOptions& options, const CommandContext& context) {
  ProcessGroup& group = context.group;
  const Environment& environment = context.environment;
  prepare_process();
  Cluster cluster;
  if (const auto status = cluster.meet(group)) return *status;
  const TrainingCall call{options, context.invocation_start, group, cluster};
  switch (options.which) {
    case TrainingCommand::kDatasize:
      return datasize(call, environment);
    case TrainingCommand::kDatagen:
      return datagen(call, environment);
    case TrainingCommand::kRun:
    case TrainingCommand::kConfigview:
      break;
  }
  return run(call, environment);
}

}  // namespace mlps::cli
