#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/dispatch.hpp"
#include "flags/grammar.hpp"

namespace mlps::cli {

/// Prints errors to stderr and returns the process status of the first.
int report(const std::vector<Error>& errors);
int report(const Error& error);

/// Carries out init, version, config, object and history show. Returns the process status.
int run_utility(const Resolution& resolution, const Invocation& invocation);

/// Returns the arguments of the command that `history rerun` names.
Result<std::vector<std::string>> history_rerun_arguments(const Resolution& resolution, const Invocation& invocation);

}  // namespace mlps::cli
