#pragma once

#include <string>
#include <vector>

#include "base/environment.hpp"
#include "flags/grammar.hpp"
#include "flags/tokenizer.hpp"

namespace mlps::cli {

/// Carry out `rules list`, `rules explain`, `validate` and `reports reportgen`, whose words and flags were read. Return
/// the process status: 1 where the rules are broken, of reportgen only if that was asked for.
int rules_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words);
int validate_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words);
int reportgen_command(const CommandSyntax& command, const Environment& environment, Settings& settings);

}  // namespace mlps::cli
