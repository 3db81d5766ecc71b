#pragma once

#include "cli/dispatch.hpp"
#include "flags/grammar.hpp"

namespace mlps::cli {

/// Carries out a command of a benchmark: in this process alone, on the hosts it names by starting a launcher, or as one
/// of the processes that a launcher started. Returns the process status.
int benchmark_command(const Resolution& resolution, const Invocation& invocation);

/// Carries out the part of a process that such a command started on a host: it meets the others and does its share.
int join_command(const Invocation& invocation);

}  // namespace mlps::cli
