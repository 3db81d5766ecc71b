#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "flags/grammar.hpp"
#include "flags/options.hpp"
#include "flags/tokenizer.hpp"
#include "flags/values.hpp"

/// The part of a command line that all benchmarks have in common.
namespace mlps::cli {

struct ParseOutcome {
  Environment environment;            ///< with .env applied in object mode
  std::vector<std::string> notes;     ///< which keys a layer filled; which .env was read
  std::vector<std::string> warnings;  ///< about what was skipped or has no effect
  std::vector<Error> errors;          ///< everything that is wrong; the options are only valid without errors
};

/// Holds a command line with the values that the layers supply, before they are read: as typed, or, in the other
/// processes of a group, out of a message (launch/job_settings.hpp).
struct CommandLine : ParseOutcome {
  CommandSyntax command;
  std::string model;  ///< where a word is one: "unet3d"
  std::optional<AccessProtocol> protocol;
  Tokens tokens;
  std::map<std::string, std::string> files;  ///< by name of the flag, the content of the file that it names
};

/// Holds a benchmark's options, with notes, warnings and errors of reading them.
template <class Options>
struct Parsed : ParseOutcome {
  Options options;
};

/// Tokenizes the arguments after the words of `resolution`, takes the word file or object, and fills what the layers
/// supply; reads the configuration files they name, and those of flags with `names_file`.
CommandLine read_line(const Resolution& resolution, std::span<const std::string> arguments,
                      const Environment& environment, const std::string& program_folder);

/// Fills the options that every benchmark has.
void read_benchmark(Reader& reader, const CommandLine& line, BenchmarkOptions& options);

/// Adds an error per missing flag, per range that no row of the flag table can state, and per flag that can't be
/// honoured, and a warning per flag without effect. Without errors it fills `options.arguments`.
void finish_benchmark(Reader& reader, const CommandLine& line, BenchmarkOptions& options, ParseOutcome& outcome);

}  // namespace mlps::cli
