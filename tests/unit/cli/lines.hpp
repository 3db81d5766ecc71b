#pragma once

#include <span>
#include <string>
#include <vector>

#include "benchmarks/checkpointing/command/options.hpp"
#include "benchmarks/training/command/options.hpp"
#include "cli/registry.hpp"
#include "cli/summary.hpp"
#include "flags/command_line.hpp"
#include "flags/text.hpp"

/// Command lines of the program's own grammar.
namespace mlps::cli::test {

inline const Grammar& grammar() {
  return registry().grammar();
}

inline CommandLine line_of_words(const std::vector<std::string>& words, const Environment& environment,
                                 const std::string& program_folder) {
  const Resolution resolution = grammar().resolve(words);
  return read_line(resolution, std::span(words).subspan(resolution.rest), environment, program_folder);
}

/// The command that "open checkpointing run" names.
inline CommandSyntax command(const std::string& words) {
  return grammar().resolve(split(words, " ")).command;
}

/// The summary of a command with these options.
template <class Options>
std::vector<std::string> summary_of(Options options, const Environment& environment = Environment()) {
  CommandOf<Options> command(std::move(options));
  return run_summary(command, environment);
}

}  // namespace mlps::cli::test
