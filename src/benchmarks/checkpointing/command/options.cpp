#include "benchmarks/checkpointing/command/options.hpp"

#include "benchmarks/checkpointing/results/record_parts.hpp"
#include "session/options_json.hpp"

namespace mlps::cli {

RankDemand ranks_of(const CheckpointingOptions& options) {
  return {options.num_processes, true};
}

std::string options_json(const CheckpointingOptions& options) {
  Json args = options_head(options);
  args["num_processes"] = options.num_processes;
  args["accelerator_type"] = text_or_null(options.accelerator_type);
  add_hosts(args, options.hosts);
  args["checkpoint_folder"] = text_or_null(options.checkpoint_folder);
  args["num_checkpoints_write"] = options.num_checkpoints_write;
  args["num_checkpoints_read"] = options.num_checkpoints_read;
  args["checkpoint_subset"] = options.checkpoint_subset;
  add_common(args, options);
  args["cleanup"] = options.cleanup;
  args["size_scale"] = options.size_scale;
  args["payload"] = results::payload_mode_name(options.payload);
  add_own_flags(args, options);
  return args.dump();
}

std::vector<std::pair<std::string, std::string>> summary_rows(const CheckpointingOptions& options) {
  std::vector<std::pair<std::string, std::string>> rows;
  if (options.which == CheckpointingCommand::kRun) rows.emplace_back("checkpoint_folder", options.checkpoint_folder);
  rows.emplace_back("data_access_protocol", protocol_name(options));
  rows.emplace_back("num_processes", std::to_string(options.num_processes));
  rows.emplace_back("num_checkpoints_write", std::to_string(options.num_checkpoints_write));
  rows.emplace_back("num_checkpoints_read", std::to_string(options.num_checkpoints_read));
  return rows;
}

}  // namespace mlps::cli
