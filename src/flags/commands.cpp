#include "flags/commands.hpp"

namespace mlps::cli {

std::string_view mode_name(Mode mode) {
  switch (mode) {
    case Mode::kClosed:
      return "closed";
    case Mode::kOpen:
      return "open";
    case Mode::kWhatif:
      return "whatif";
  }
  return "?";
}

std::string_view protocol_name(const BenchmarkOptions& options) {
  if (!options.protocol) return {};
  return *options.protocol == AccessProtocol::kFile ? "file" : "object";
}

std::string_view command_name(CheckpointingCommand command) {
  switch (command) {
    case CheckpointingCommand::kDatasize:
      return "datasize";
    case CheckpointingCommand::kRun:
      return "run";
    case CheckpointingCommand::kConfigview:
      return "configview";
  }
  return "?";
}

std::string_view command_name(TrainingCommand command) {
  switch (command) {
    case TrainingCommand::kDatasize:
      return "datasize";
    case TrainingCommand::kDatagen:
      return "datagen";
    case TrainingCommand::kRun:
      return "run";
    case TrainingCommand::kConfigview:
      return "configview";
  }
  return "?";
}

}  // namespace mlps::cli
