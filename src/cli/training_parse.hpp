#pragma once

#include "cli/benchmark_parse.hpp"

namespace mlps::cli {

using ParsedTraining = Parsed<TrainingOptions>;

/// `arguments` are those after the command word; `model` is the word before it. Reads the configuration files the
/// layers name, nothing else.
ParsedTraining parse_training(const CommandWord& command, Mode mode, const std::string& model,
                              std::span<const std::string> arguments, const Environment& environment,
                              const std::string& program_folder);

}  // namespace mlps::cli
