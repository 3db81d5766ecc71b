#pragma once

#include <string>
#include <vector>

#include "flags/grammar.hpp"
#include "flags/tokenizer.hpp"

namespace mlps::cli {

/// Carries out `runs list|show|rm|purge|gc` on an initialised results directory, and returns the process status. What
/// would be removed is only shown without --yes.
int runs_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words,
                 const std::string& results_dir);

}  // namespace mlps::cli
