#pragma once

#include "cli/benchmark_parse.hpp"

namespace mlps::cli {

using ParsedCheckpointing = Parsed<CheckpointingOptions>;

/// `arguments` are those after the command word. Reads the configuration files the layers name, nothing else.
ParsedCheckpointing parse_checkpointing(const CommandWord& command, Mode mode, std::span<const std::string> arguments,
                                        const Environment& environment, const std::string& program_folder);

}  // namespace mlps::cli
