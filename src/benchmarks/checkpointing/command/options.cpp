#include "benchmarks/checkpointing/command/options.hpp"

namespace mlps::cli {

RankDemand ranks_of(const CheckpointingOptions& options) {
  return {options.num_processes, true};
}

Result<Location> folder_of(const CheckpointingOptions& options, const Environment& environment) {
  return checkpoint_location(options.checkpoint_folder, *options.protocol, options.o_direct, environment);
}

std::vector<std::pair<std::string, std::string>> rows_of(const CheckpointingOptions& options) {
  std::vector<std::pair<std::string, std::string>> rows;
  if (options.which == CheckpointingCommand::kRun) rows.emplace_back("checkpoint_folder", options.checkpoint_folder);
  rows.emplace_back("data_access_protocol", protocol_name(options));
  rows.emplace_back("num_processes", std::to_string(options.num_processes));
  rows.emplace_back("num_checkpoints_write", std::to_string(options.num_checkpoints_write));
  rows.emplace_back("num_checkpoints_read", std::to_string(options.num_checkpoints_read));
  return rows;
}

}  // namespace mlps::cli
