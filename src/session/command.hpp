#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "flags/command_line.hpp"
#include "flags/grammar.hpp"
#include "flags/options.hpp"
#include "location/location.hpp"
#include "session/process_group.hpp"

/// The interface between a benchmark and the rest of the program: its words and flags, and its commands.
namespace mlps::cli {

/// Tells how many ranks of a command are spread over the hosts.
struct RankDemand {
  uint32_t count = 0;
  bool measured = true;  ///< false: their numbers may differ between hosts in every mode
};

/// Holds what a command is carried out with, in each process of a group. Refers to it.
struct CommandContext {
  const Environment& environment;  ///< the process's, with .env applied in object mode
  Stamp invocation_start;          ///< when the command was typed
  ProcessGroup& group;
  std::vector<Error> problems;  ///< found before, in process 0; to be reported with what the preparation finds
};

/// Returns what is wrong with a command: what was found before, and what its preparation has found.
template <class Prepared>
std::vector<Error> all_errors(const CommandContext& context,
                              const tl::expected<Prepared, std::vector<Error>>& prepared) {
  std::vector<Error> errors = context.problems;
  if (!prepared) errors.insert(errors.end(), prepared.error().begin(), prepared.error().end());
  return errors;
}

/// One command of a benchmark with all its options.
class Command {
 public:
  virtual ~Command() = default;

  virtual BenchmarkOptions& options() = 0;
  virtual RankDemand ranks() const = 0;
  /// Returns labels and values of the benchmark's own settings, for the summary at the start.
  virtual std::vector<std::pair<std::string, std::string>> summary_rows() const = 0;
  /// Returns the folder of the storage that the command is about, where the word file or object follows.
  virtual Result<Location> folder(const Environment& environment) const = 0;
  /// Carries the command out and returns the process status. Collective in a job: each process runs its ranks, and
  /// process 0 prints and records.
  virtual int execute(const CommandContext& context) const = 0;
};

/// Holds a command line as its benchmark understood it: `command` is never null, but only valid without errors.
struct ParsedCommand : ParseOutcome {
  std::unique_ptr<Command> command;
};

/// A command that is its options: ranks_of(), rows_of(), folder_of() and execute_command() of that type say what it is.
template <class Options>
class CommandOf final : public Command {
 public:
  explicit CommandOf(Options options) : options_(std::move(options)) {}

  BenchmarkOptions& options() override { return options_; }
  RankDemand ranks() const override { return ranks_of(options_); }
  std::vector<std::pair<std::string, std::string>> summary_rows() const override { return rows_of(options_); }
  Result<Location> folder(const Environment& environment) const override { return folder_of(options_, environment); }
  int execute(const CommandContext& context) const override { return execute_command(options_, context); }

 private:
  Options options_;
};

template <class Options>
ParsedCommand command_of(Parsed<Options> parsed) {
  return {std::move(parsed), std::make_unique<CommandOf<Options>>(std::move(parsed.options))};
}

/// Describes a benchmark to the registry.
struct Benchmark : CommandGroup {
  ParsedCommand (*parse)(CommandLine line) = nullptr;
};

}  // namespace mlps::cli
