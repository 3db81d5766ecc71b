#pragma once

#include <string>

#include "base/json.hpp"
#include "flags/options.hpp"

/// The parts of Command::options_json() that all benchmarks have, in the names and the order of mlpstorage 3.0.
namespace mlps::cli {

/// Returns the members that stand first: mode, benchmark, model, command, hosts and memory.
Json options_head(const BenchmarkOptions& options);
/// Adds how processes are started.
void add_hosts(Json& args, const HostOptions& hosts);
/// Adds what else mlpstorage 3.0 has for all benchmarks.
void add_common(Json& args, const BenchmarkOptions& options);
/// Adds the flags that only this program has.
void add_own_flags(Json& args, const BenchmarkOptions& options);

/// Returns null for an empty text.
Json text_or_null(const std::string& text);

}  // namespace mlps::cli
