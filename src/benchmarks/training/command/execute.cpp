#include "benchmarks/training/command/execute.hpp"

#include "benchmarks/training/results/class_keys.hpp"

namespace mlps::cli {
results::RunContext training_context(const TrainingOptions& options, const ChosenWorkload& chosen,
                                     const results::RunFolder& folder, std::vector<results::RunMember> members) {
  results::RunContext context;
  fill_context(options, options.processes, folder, std::move(members), context);
  context.workload_name = chosen.workload.file_name;
  context.values = chosen.workload.values;
  context.overrides = chosen.overrides;
  context.class_keys = &results::kTrainingClass;
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
  return execute_run(call);
}

}  // namespace mlps::cli
