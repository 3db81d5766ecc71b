#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "flags/options.hpp"
#include "launch/job_settings.hpp"

namespace mlps::cli {

/// Whether --hosts names another host, or several, so that a launcher has to start the processes.
bool needs_launcher(const HostOptions& hosts);

/// Returns the command line of the launcher. E501 if it can't be run or is of no known kind, E102 if it can't honour an
/// option. Runs the launcher once, with --version.
Result<std::vector<std::string>> launcher_command(const HostOptions& hosts, const Environment& environment);

/// Starts the job with the launcher's command line, sends it the settings, and waits for its end. SIGINT and SIGTERM go
/// to process 0 as control lines, so that all hosts stop in order; a second one ends the launcher (see
/// supervise_launcher()). Returns the status of the job.
int run_launched(const std::vector<std::string>& command, const JobSettings& settings);

}  // namespace mlps::cli
