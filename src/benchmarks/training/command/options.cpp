#include "benchmarks/training/command/options.hpp"

#include "session/options_json.hpp"

namespace mlps::cli {

RankDemand ranks_of(const TrainingOptions& options) {
  return {options.processes, options.which != TrainingCommand::kDatagen};
}

std::string options_json(const TrainingOptions& options) {
  Json args = options_head(options);
  switch (options.which) {
    case TrainingCommand::kDatasize:
      args["max_accelerators"] = options.processes;
      break;
    case TrainingCommand::kDatagen:
      break;
    case TrainingCommand::kRun:
    case TrainingCommand::kConfigview:
      args["num_accelerators"] = options.processes;
      break;
  }
  args["num_processes"] = options.processes;
  args["accelerator_type"] = text_or_null(options.accelerator_type);
  args["num_client_hosts"] = options.num_client_hosts;
  add_hosts(args, options.hosts);
  args["data_dir"] = text_or_null(options.data_dir);
  args["drop_caches_timeout_seconds"] = options.drop_caches_timeout_s;
  add_common(args, options);
  args["read_ahead_bytes"] = options.read_ahead_bytes ? Json(*options.read_ahead_bytes) : Json();
  args["workload_file"] = text_or_null(options.workload_file);
  add_own_flags(args, options);
  return args.dump();
}

std::vector<std::pair<std::string, std::string>> summary_rows(const TrainingOptions& options) {
  const bool accelerates = options.which != TrainingCommand::kDatagen;
  return {{"data_dir", options.data_dir},
          {"data_access_protocol", std::string(protocol_name(options))},
          {accelerates ? "num_accelerators" : "num_processes", std::to_string(options.processes)}};
}

}  // namespace mlps::cli
