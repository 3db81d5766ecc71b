#include "benchmarks/training/command/execute.hpp"

#include "benchmarks/training/results/class_keys.hpp"

namespace mlps::cli {
results::RunFolderRequest training_folder(const TrainingOptions& options) {
  results::RunFolderRequest where;
  where.model = options.model;
  where.benchmark = options.benchmark;
  where.command = options.command;
  return where;
}

void add_training(const TrainingOptions& options, const ChosenWorkload& chosen, results::RunContext& about) {
  about.workload_name = chosen.workload.file_name;
  about.values = chosen.workload.values;
  about.overrides = chosen.overrides;
  about.class_keys = &results::kTrainingClass;
  if (!options.workload_file.empty() && options.which == TrainingCommand::kRun) {
    about.no_result_because.push_back("the workload is that of " + options.workload_file + ", not one of the rules");
  }
}

int execute_command(const TrainingOptions& options, const CommandContext& context) {
  prepare_process();
  Cluster cluster;
  if (const auto status = cluster.meet(context.group)) return *status;
  const TrainingCall call{options, context, context.group, cluster};
  switch (options.which) {
    case TrainingCommand::kDatasize:
      return execute_datasize(call);
    case TrainingCommand::kDatagen:
      return execute_datagen(call);
    case TrainingCommand::kRun:
    case TrainingCommand::kConfigview:
      break;
  }
  return options.searches && !options.common.dry_run ? execute_search(call) : execute_run(call);
}

}  // namespace mlps::cli
