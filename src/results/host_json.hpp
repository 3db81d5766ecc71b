#pragma once

#include <vector>

#include "results/json_text.hpp"
#include "world/host_facts.hpp"
#include "world/proc_text.hpp"

/// Host facts in the shapes of spec/results.md section 2.8. This program runs on one host, so a cluster has one.
namespace mlps::results {

/// `disks[]` and `diskstats[]`, `network[]` and `netdev[]`, `loadavg`: each entry a name and its counters.
Json disks_json(const std::vector<world::DiskFacts>& disks);
Json network_json(const std::vector<world::NetworkFacts>& networks);
Json load_json(const world::LoadFacts& load);

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

/// The host's part of DLIO's files: of summary.json, where everything but the name is a list per host ...
void add_host_lists(Json& json, const world::HostFacts& host, int potential_caching);
/// ... and of <rank>_output.json.
Json rank_host_json(const world::HostFacts& host, int potential_caching);

}  // namespace mlps::results
