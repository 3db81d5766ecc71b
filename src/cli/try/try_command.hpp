#pragma once

#include <string>
#include <vector>

#include "base/environment.hpp"
#include "flags/grammar.hpp"
#include "flags/tokenizer.hpp"

namespace mlps::cli {

/// Carries out `try <place>`: probes the place, sizes a data set, a checkpoint, a KV cache and vectors by its rates,
/// its room and --time, runs each by the commands that anybody can type, removes what they stored, and says what came
/// out. Returns the process status.
int try_command(const CommandSyntax& command, const Environment& environment, const Settings& settings,
                const std::vector<std::string>& words);

}  // namespace mlps::cli
