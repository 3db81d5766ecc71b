#pragma once

#include <vector>

#include "results/json_text.hpp"
#include "results/run_hosts.hpp"
#include "world/host_facts.hpp"
#include "world/proc_text.hpp"

/// Host facts in the shapes of mlpstorage 3.0's files.
namespace mlps::results {

/// `disks[]` and `diskstats[]`, `network[]` and `netdev[]`, `loadavg`: each entry a name and its counters.
Json disks_json(const std::vector<world::DiskFacts>& disks);
Json network_json(const std::vector<world::NetworkFacts>& networks);
Json load_json(const world::LoadFacts& load);

/// One entry of `hosts[]`.
Json host_json(const HostView& host);

/// `system_info` of the metadata: totals over hosts, the hosts, and what is not alike about them. At least one host.
Json system_info_json(const std::vector<HostView>& hosts, const char* collection_method);

/// The raw collector's output, keyed by host name: <benchmark>_cluster_info.json. At least one host.
Json cluster_info_json(const std::vector<HostView>& hosts, const char* collection_method);

/// /proc/meminfo as an object of strings, "kB" kept.
Json meminfo_json(const world::HostFacts& host);
/// The last stanza of /proc/cpuinfo without its "processor", as an object of strings.
Json cpuinfo_json(const world::HostFacts& host);

/// The hosts' part of DLIO's files, with `data_size_per_host_gib` of the benchmark: of summary.json, where numbers are
/// lists with an entry per host and texts are of the first host ...
void add_host_lists(Json& json, const std::vector<HostView>& hosts, double data_size_per_host_gib);
/// ... and of <rank>_output.json.
Json rank_host_json(const world::HostFacts& host, double data_size_per_host_gib);

}  // namespace mlps::results
