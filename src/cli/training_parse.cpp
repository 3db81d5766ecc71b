#include "cli/training_parse.hpp"

namespace mlps::cli {
namespace {

TrainingCommand command_of(Leaf leaf) {
  switch (leaf) {
    case kTrainingDatagen:
      return TrainingCommand::kDatagen;
    case kTrainingRun:
      return TrainingCommand::kRun;
    case kTrainingConfigview:
      return TrainingCommand::kConfigview;
    default:
      return TrainingCommand::kDatasize;
  }
}

// One number under three names: ranks of a run, generators of a data set, ranks a data set is for.
const char* process_flag(TrainingCommand command) {
  if (command == TrainingCommand::kDatasize) return "max-accelerators";
  return command == TrainingCommand::kDatagen ? "num-processes" : "num-accelerators";
}

}  // namespace

ParsedTraining parse_training(const CommandWord& command, Mode mode, const std::string& model,
                              std::span<const std::string> arguments, const Environment& environment,
                              const std::string& program_folder) {
  ParsedTraining parsed;
  parsed.environment = environment;
  TrainingOptions& options = parsed.options;
  options.command = command_of(command.leaf);
  options.model = model;
  const Lexed lexed = read_line(command, mode, arguments, program_folder, options, parsed);
  Reader reader(lexed.settings, command.leaf, mode, parsed.errors);
  read_benchmark(reader, options, parsed.environment);
  options.processes = reader.small(process_flag(options.command));
  options.num_client_hosts = reader.given("num-client-hosts") ? reader.small("num-client-hosts")
                                                              : static_cast<uint32_t>(options.hosts.hosts.size());
  options.data_dir = reader.text("data-dir");
  options.data_dir_source = reader.origin("data-dir");
  options.drop_caches_timeout_s = reader.small("drop-caches-timeout-seconds");
  options.read_ahead_bytes = reader.size("read-ahead");
  options.workload_file = reader.text("workload-file");
  finish_benchmark(reader, lexed, options, parsed);
  return parsed;
}

}  // namespace mlps::cli
