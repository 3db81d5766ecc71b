#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "cli/command_tree.hpp"
#include "cli/commands.hpp"

namespace mlps::cli {

/// A checkpointing command line, understood.
struct ParsedCheckpointing {
  CheckpointingOptions options;
  Environment environment;            ///< with .env applied in object mode
  std::vector<std::string> notes;     ///< which keys a layer filled; which .env was read
  std::vector<std::string> warnings;  ///< what was skipped or means nothing here
  std::vector<Error> errors;          ///< all that is wrong; the options are only good if empty
};

/// `arguments` are those after the command word. Reads the configuration files the layers name, nothing else.
ParsedCheckpointing parse_checkpointing(const CommandWord& command, Mode mode, std::span<const std::string> arguments,
                                        const Environment& environment, const std::string& program_folder);

}  // namespace mlps::cli
