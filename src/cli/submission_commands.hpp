#pragma once

#include <string>
#include <vector>

#include "flags/grammar.hpp"
#include "flags/tokenizer.hpp"

namespace mlps::cli {

/// Carry out `status`, `submit`, `compare`, `lockfile generate|verify` and `rules-coverage`, whose words and flags were
/// read. Return the process status: 1 of a submission that isn't ready to be packed, and of a lock that doesn't hold.
int status_command(const CommandSyntax& command, const Settings& settings, const std::string& results_dir);
int submit_command(const CommandSyntax& command, const Settings& settings, const std::string& results_dir,
                   const std::string& orgname);
int compare_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words);
int lockfile_command(const CommandSyntax& command, const Settings& settings);
int coverage_command(const CommandSyntax& command, const Settings& settings);

}  // namespace mlps::cli
