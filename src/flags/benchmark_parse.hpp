#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "flags/command_tree.hpp"
#include "flags/commands.hpp"
#include "flags/lex.hpp"
#include "flags/values.hpp"

/// What the command lines of all benchmarks have in common.
namespace mlps::cli {

struct ParseOutcome {
  Environment environment;            ///< with .env applied in object mode
  std::vector<std::string> notes;     ///< which keys a layer filled; which .env was read
  std::vector<std::string> warnings;  ///< what was skipped or means nothing here
  std::vector<Error> errors;          ///< all that is wrong; the options are only good if empty
};

/// A command line with what the layers supply, before its values are read: in the process that it was typed for, or,
/// out of a message (job_settings.hpp), in the others of its job.
struct CommandLine : ParseOutcome {
  const CommandWord* command = nullptr;
  Mode mode = Mode::kClosed;
  std::string model;  ///< where a word is one: "unet3d"
  std::optional<AccessProtocol> protocol;
  Lexed lexed;
  std::map<std::string, std::string> files;  ///< by name of the flag, the content of the file that it names
};

/// A benchmark's command line, understood.
template <class Options>
struct Parsed : ParseOutcome {
  Options options;
};

/// Lexes the arguments after the words of `resolution`, takes the word file or object, and fills what the layers
/// supply; reads the configuration files they name, and those of flags with `names_file`.
CommandLine read_line(const Resolution& resolution, std::span<const std::string> arguments,
                      const Environment& environment, const std::string& program_folder);

/// Adds the variables of a .env file, those that `outcome.environment` has not.
void add_dotenv(const std::string& program_folder, ParseOutcome& outcome);

/// Fills what every benchmark has.
void read_benchmark(Reader& reader, const CommandLine& line, BenchmarkOptions& options);

/// Adds an error per missing flag, per range that no row of the flag table can state, and per flag that can't be
/// honoured, and a warning per flag without effect.
void finish_benchmark(Reader& reader, const CommandLine& line, const BenchmarkOptions& options, ParseOutcome& outcome);

}  // namespace mlps::cli
