#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "flags/options.hpp"
#include "launch/job_settings.hpp"

namespace mlps::cli {

/// Whether --hosts names another host, or several, so that a launcher has to start the processes. This host is known by
/// its names and its addresses.
bool needs_launcher(const HostOptions& hosts);

/// How the launcher is started.
struct LauncherCommand {
  std::vector<std::string> words;
  Descriptor host_file;  ///< in memory, where the list of hosts is too long for `words`, which then name it
};

/// Returns the command of the launcher. E501 if it can't be run or is of no known kind, E102 if it can't honour an
/// option, if two names stand for one host, or if its words are more than the system starts. Runs the launcher once,
/// with
/// --version, and asks the resolver for the hosts.
Result<LauncherCommand> launcher_command(const HostOptions& hosts, const Environment& environment);

/// Starts the job with the launcher's command, sends it the settings, and waits for its end. The signals that ask to
/// stop go to process 0 as control lines, so that all hosts stop in order; a second one ends the launcher (see
/// supervise_launcher()). Returns the status of the job.
int run_launched(const LauncherCommand& command, const JobSettings& settings);

}  // namespace mlps::cli
