#include "cli/commands.hpp"

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

}  // namespace mlps::cli
