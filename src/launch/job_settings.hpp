#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flags/benchmark_parse.hpp"

namespace mlps::cli {

/// What a job of several processes is to do: read and completed where the command was typed, and the same for all. It
/// travels with the job, in a message, so that no other host's files, variables or working directory have a say.
/// Credentials are never in it.
struct JobSettings {
  std::vector<std::string> words;  ///< of the command: "whatif", "checkpointing", "run"
  std::optional<AccessProtocol> protocol;
  Settings settings;                             ///< of all layers; folders are absolute
  std::map<std::string, std::string> variables;  ///< storage::kSettingVariables and our own, those that are set
  std::map<std::string, std::string> files;      ///< CommandLine::files
  std::vector<std::string> arguments;            ///< as typed, for the records
  std::vector<std::string> notes, warnings;      ///< of reading the command line
  Stamp start;                                   ///< of the command that was typed ...
  std::string boot_id;                           ///< ... on this machine, where the monotonic part means anything
};

/// Returns the settings of a command that was typed here.
JobSettings make_job_settings(const Resolution& resolution, const CommandLine& line,
                              const std::vector<std::string>& arguments, const Stamp& start);

/// JSON in one line, and back: E503 for a text that this build didn't make.
std::string settings_text(const JobSettings& settings);
Result<JobSettings> parse_settings(std::string_view text);

/// The command line as every process of the job sees it: the settings, with credentials out of `own` environment, and,
/// with object storage, out of a .env file of this host.
Result<CommandLine> line_of(const JobSettings& settings, const Environment& own, const std::string& program_folder);

/// When the command began: there, if that was on this machine since it was last booted, else `here`.
Stamp start_of(const JobSettings& settings, const Stamp& here);

}  // namespace mlps::cli
