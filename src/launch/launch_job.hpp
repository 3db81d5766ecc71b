#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "flags/options.hpp"
#include "launch/job_settings.hpp"

namespace mlps::cli {

/// Whether a command with these --hosts runs elsewhere, or not here alone, so that a launcher has to start it.
bool needs_launcher(const HostOptions& hosts);

/// The command line of the launcher. E501 where there is none, or none that is known; E102 for what it can't honour.
/// Runs the launcher once, with --version.
Result<std::vector<std::string>> launcher_command(const HostOptions& hosts, const Environment& environment);

/// Starts the job with `command`, tells it what to do, and waits for its end. SIGINT and SIGTERM go to process 0 as a
/// message, so that all hosts stop in order; a second one ends the launcher. Returns the status of the job.
int run_launched(const std::vector<std::string>& command, const JobSettings& settings);

}  // namespace mlps::cli
