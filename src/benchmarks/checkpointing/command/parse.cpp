#include "benchmarks/checkpointing/command/parse.hpp"

#include "benchmarks/checkpointing/command/execute.hpp"

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
  options.checkpoint_folder_source = reader.origin("checkpoint-folder");
  options.checkpoint_subset = reader.on("checkpoint-subset");
  options.cleanup = reader.on("cleanup");
  options.size_scale = reader.real("size-scale");
  options.payload =
      reader.choice("payload") == "none" ? checkpointing::PayloadMode::kNone : checkpointing::PayloadMode::kUnique;
}

class CheckpointingTask final : public Command {
 public:
  explicit CheckpointingTask(CheckpointingOptions options) : options_(std::move(options)) {}

  BenchmarkOptions& options() override { return options_; }
  RankDemand ranks() const override { return ranks_of(options_); }
  std::string options_json() const override { return cli::options_json(options_); }
  std::vector<std::pair<std::string, std::string>> summary_rows() const override { return cli::summary_rows(options_); }
  Result<Location> folder(const Environment& environment) const override {
    return checkpoint_location(options_.checkpoint_folder, *options_.protocol, options_.o_direct, environment);
  }
  int execute(const CommandContext& context) const override { return execute_checkpointing(options_, context); }

 private:
  CheckpointingOptions options_;
};

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

std::unique_ptr<Command> make_command(CheckpointingOptions options) {
  return std::make_unique<CheckpointingTask>(std::move(options));
}

ParsedCommand parse_checkpointing_command(CommandLine line) {
  ParsedCheckpointing parsed = parse_checkpointing(std::move(line));
  return {std::move(parsed), make_command(std::move(parsed.options))};
}

}  // namespace mlps::cli
