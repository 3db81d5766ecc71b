#include "benchmarks/checkpointing/command/options.hpp"

namespace mlps::cli {
namespace {

CheckpointingCommand command_of(std::string_view word) {
  if (word == "run") return CheckpointingCommand::kRun;
  return word == "configview" ? CheckpointingCommand::kConfigview : CheckpointingCommand::kDatasize;
}

void read_workload(Reader& reader, CheckpointingOptions& options) {
  options.model = reader.choice("model");
  options.num_processes = reader.small("num-processes");
  options.num_checkpoints_write = reader.small("num-checkpoints-write");
  options.num_checkpoints_read = reader.small("num-checkpoints-read");
  options.checkpoint_folder = reader.text("checkpoint-folder");
  options.checkpoint_subset = reader.on("checkpoint-subset");
  options.cleanup = reader.on("cleanup");
  options.size_scale = reader.real("size-scale");
  if (reader.given("time")) options.early_end.time_s = reader.real("time");
  options.early_end.until_stable = reader.on("until-stable");
  options.payload =
      reader.choice("payload") == "none" ? checkpointing::PayloadMode::kNone : checkpointing::PayloadMode::kUnique;
}

}  // namespace

ParsedCheckpointing parse_checkpointing(CommandLine line) {
  ParsedCheckpointing parsed;
  CheckpointingOptions& options = parsed.options;
  options.which = command_of(line.command.word());
  Reader reader(line.tokens.settings, line.command, line.errors);
  read_benchmark(reader, line, options);
  read_workload(reader, options);
  finish_benchmark(reader, line, options, line);
  static_cast<ParseOutcome&>(parsed) = std::move(line);
  return parsed;
}

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
