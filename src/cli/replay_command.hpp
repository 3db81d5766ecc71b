#pragma once

#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "flags/grammar.hpp"
#include "flags/values.hpp"

namespace mlps::cli {

/// Carries out `replay FILE... --to LOCATION`: plays the reads, writes and removals of operation logs against another
/// location, and prints what came of it. Returns the process status: 0 if all worked, else that of the first error.
int replay_command(const CommandSyntax& command, const Environment& environment, const Settings& settings,
                   const std::vector<std::string>& files);

}  // namespace mlps::cli
