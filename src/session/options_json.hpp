#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "flags/options.hpp"

/// The parts of Command::options_json() that all benchmarks have, in the names and the order of mlpstorage 3.0.
namespace mlps::cli {

using OptionsJson = nlohmann::ordered_json;

/// Returns the members that stand first: mode, benchmark, model, command, hosts and memory.
OptionsJson options_head(const BenchmarkOptions& options);
/// Adds how processes are started.
void add_hosts(OptionsJson& args, const HostOptions& hosts);
/// Adds what else mlpstorage 3.0 has for all benchmarks.
void add_common(OptionsJson& args, const BenchmarkOptions& options);
/// Adds the flags that only this program has.
void add_own_flags(OptionsJson& args, const BenchmarkOptions& options);

/// Returns null for an empty text.
OptionsJson text_or_null(const std::string& text);

}  // namespace mlps::cli
