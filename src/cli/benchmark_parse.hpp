#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "cli/command_tree.hpp"
#include "cli/commands.hpp"
#include "cli/lex.hpp"
#include "cli/values.hpp"

/// What the command lines of all benchmarks have in common.
namespace mlps::cli {

struct ParseOutcome {
  Environment environment;            ///< with .env applied in object mode
  std::vector<std::string> notes;     ///< which keys a layer filled; which .env was read
  std::vector<std::string> warnings;  ///< what was skipped or means nothing here
  std::vector<Error> errors;          ///< all that is wrong; the options are only good if empty
};

/// A benchmark's command line, understood.
template <class Options>
struct Parsed : ParseOutcome {
  Options options;
};

/// Lexes `arguments`, those after the command word, takes the word file or object, and fills what the layers supply;
/// reads the configuration files they name, nothing else. What is wrong goes to `outcome`.
Lexed read_line(const CommandWord& command, Mode mode, std::span<const std::string> arguments,
                const std::string& program_folder, BenchmarkOptions& options, ParseOutcome& outcome);

/// Fills what every benchmark has.
void read_benchmark(Reader& reader, BenchmarkOptions& options, const Environment& environment);

/// Adds an error per missing flag, per range that no row of the flag table can state, and per flag that can't be
/// honoured, and a warning per flag without effect.
void finish_benchmark(Reader& reader, const Lexed& lexed, const BenchmarkOptions& options, ParseOutcome& outcome);

}  // namespace mlps::cli
