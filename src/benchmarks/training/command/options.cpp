#include "benchmarks/training/command/options.hpp"

namespace mlps::cli {

RankDemand ranks_of(const TrainingOptions& options) {
  return {options.processes, options.which != TrainingCommand::kDatagen};
}

Result<Location> folder_of(const TrainingOptions& options, const Environment& environment) {
  return data_location({options.data_dir, options.model, {}, options.o_direct}, *options.protocol, environment);
}

std::vector<std::pair<std::string, std::string>> rows_of(const TrainingOptions& options) {
  const bool accelerates = options.which != TrainingCommand::kDatagen;
  return {{"data_dir", options.data_dir},
          {"data_access_protocol", std::string(protocol_name(options))},
          {accelerates ? "num_accelerators" : "num_processes", std::to_string(options.processes)}};
}

}  // namespace mlps::cli
