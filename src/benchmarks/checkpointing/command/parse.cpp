#include "benchmarks/checkpointing/command/parse.hpp"

#include <fmt/format.h>

namespace mlps::cli {
namespace {

CheckpointingCommand command_of(Leaf leaf) {
  if (leaf == kCheckpointRun) return CheckpointingCommand::kRun;
  return leaf == kCheckpointConfigview ? CheckpointingCommand::kConfigview : CheckpointingCommand::kDatasize;
}

void read_workload(Reader& reader, CheckpointingOptions& options) {
  options.model = reader.choice("model");
  options.num_processes = reader.small("num-processes");
  options.num_checkpoints_write = reader.small("num-checkpoints-write");
  options.num_checkpoints_read = reader.small("num-checkpoints-read");
  options.checkpoint_folder = reader.text("checkpoint-folder");
  options.checkpoint_folder_source = reader.origin("checkpoint-folder");
  options.checkpoint_subset = reader.on("checkpoint-subset");
  options.size_scale = reader.real("size-scale");
  options.payload = reader.choice("payload") == "none" ? PayloadChoice::kNone : PayloadChoice::kUnique;
}

}  // namespace

ParsedCheckpointing parse_checkpointing(CommandLine line) {
  ParsedCheckpointing parsed;
  CheckpointingOptions& options = parsed.options;
  options.command = command_of(line.command->leaf);
  Reader reader(line.lexed.settings, line.command->leaf, line.mode, line.errors);
  read_benchmark(reader, line, options);
  read_workload(reader, options);
  finish_benchmark(reader, line, options, line);
  // The rules of the benchmark are checkpointing/argument_rules.hpp's; this range just fits no row of the flag table.
  if (options.size_scale > 1.0) {
    line.errors.push_back({ErrorCode::kConfigInvalid,
                           fmt::format("--size-scale: {} is not in its range: above 0 and up to 1", options.size_scale),
                           {},
                           "for example: --size-scale 0.01"});
  }
  static_cast<ParseOutcome&>(parsed) = std::move(line);
  return parsed;
}

}  // namespace mlps::cli
