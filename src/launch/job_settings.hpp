#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flags/command_line.hpp"

namespace mlps::cli {

/// Holds the command of a job of several processes: read and completed where it was typed, and the same for all. It
/// travels with the job as a message, so that no other host's files, variables or working directory count.
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

/// Returns the settings as JSON in one line.
std::string settings_text(const JobSettings& settings);
/// Returns the settings in such a text; E503 for a text that this build didn't make.
Result<JobSettings> parse_settings(std::string_view text);

/// Returns the command line as every process of the job has it: the settings, with credentials from the `own`
/// environment, and, with object storage, from a .env file of this host.
Result<CommandLine> line_of(const JobSettings& settings, const Grammar& grammar, const Environment& own,
                            const std::string& program_folder);

/// Returns when the command began: the moment in the settings, if that was on this machine since it was last booted,
/// else `here`.
Stamp start_of(const JobSettings& settings, const Stamp& here);

}  // namespace mlps::cli
