#pragma once

#include <optional>

#include "results/json_text.hpp"
#include "world/host_facts.hpp"

/// Host facts in the shapes of spec/results.md section 2.8. This program runs on one host, so a cluster has one.
namespace mlps::results {

/// One entry of `hosts[]`.
Json host_json(const world::HostFacts& host);

/// `system_info` of the metadata: totals over hosts, and the hosts.
Json system_info_json(const world::HostFacts& host);

/// The raw collector's output, keyed by host name: <benchmark>_cluster_info.json.
Json cluster_info_json(const world::HostFacts& host);

/// /proc/meminfo as an object of strings, "kB" kept.
Json meminfo_json(const world::HostFacts& host);
/// The last stanza of /proc/cpuinfo without its "processor", as an object of strings.
Json cpuinfo_json(const world::HostFacts& host);

}  // namespace mlps::results
