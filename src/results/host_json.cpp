#include "results/host_json.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/clock.hpp"
#include "base/units.hpp"
#include "results/fields_json.hpp"
#include "results/host_consistency.hpp"

namespace mlps::results {
namespace {

using world::HostFacts;

Json strings_json(const world::TextPairs& pairs) {
  Json json = Json::object();
  for (const auto& [name, value] : pairs) json[name] = value;
  return json;
}

// Numbers as numbers, where the whole text (without a unit) is one.
Json parsed(std::string_view text) {
  if (text.ends_with(" kB")) text.remove_suffix(3);
  const char* end = text.data() + text.size();
  int64_t whole = 0;
  if (const auto result = std::from_chars(text.data(), end, whole); result.ec == std::errc{} && result.ptr == end) {
    return whole;
  }
  double real = 0;
  if (const auto result = std::from_chars(text.data(), end, real); result.ec == std::errc{} && result.ptr == end) {
    return real;
  }
  return std::string(text);
}

Json parsed_json(const world::TextPairs& pairs) {
  Json json = Json::object();
  for (const auto& [name, value] : pairs) json[name] = parsed(value);
  return json;
}

Json raw_json(const std::string& name, const HostFacts& host) {
  Json cpus = Json::array();
  for (const world::TextPairs& cpu : host.cpuinfo) cpus.push_back(parsed_json(cpu));
  Json json;
  json["hostname"] = name;
  json["collection_timestamp"] = iso_utc(host.collected_wall_us);
  json["meminfo"] = parsed_json(host.meminfo);
  json["cpuinfo"] = std::move(cpus);
  json["diskstats"] = disks_json(host.disks);
  json["netdev"] = network_json(host.network);
  json["version"] = host.kernel_version;
  json["os_release"] = strings_json(host.os_release);
  json["uptime_seconds"] = host.uptime_s;
  json["loadavg"] =
      load_json({host.load_1min, host.load_5min, host.load_15min, host.running_processes, host.total_processes});
  return json;
}

// 1 if all that a host has to read would fit into its memory.
int potential_caching(const HostFacts& host, double data_size_per_host_gib) {
  return to_gib(host.memory.total) > data_size_per_host_gib ? 1 : 0;
}

}  // namespace

Json disks_json(const std::vector<world::DiskFacts>& disks) {
  Json json = Json::array();
  for (const world::DiskFacts& disk : disks) {
    Json& line = json.push_back({{"device_name", disk.device}});
    for (size_t i = 0; i < disk.counters.size(); ++i) line[world::kDiskCounters[i]] = disk.counters[i];
  }
  return json;
}

Json network_json(const std::vector<world::NetworkFacts>& networks) {
  Json json = Json::array();
  for (const world::NetworkFacts& network : networks) {
    Json& line = json.push_back({{"interface_name", network.interface}});
    for (size_t i = 0; i < network.counters.size(); ++i) line[world::kNetworkCounters[i]] = network.counters[i];
  }
  return json;
}

Json load_json(const world::LoadFacts& load) {
  return {{"load_1min", load.load_1min},
          {"load_5min", load.load_5min},
          {"load_15min", load.load_15min},
          {"running_processes", load.running_processes},
          {"total_processes", load.total_processes}};
}

Json host_json(const HostView& view) {
  const HostFacts& host = *view.facts;
  Json json;
  json["hostname"] = view.name;
  json["memory"] = fields_json(host.memory);
  json["collection_timestamp"] = iso_utc(host.collected_wall_us);
  json["cpu"] = fields_json(host.cpu);
  json["disks"] = disks_json(host.disks);
  json["network"] = network_json(host.network);
  json["system"] = {{"hostname", view.name},
                    {"kernel_version", host.kernel_version},
                    {"os_release", strings_json(host.os_release)},
                    {"uptime_seconds", host.uptime_s},
                    {"load_average_1min", host.load_1min},
                    {"load_average_5min", host.load_5min},
                    {"load_average_15min", host.load_15min},
                    {"running_processes", host.running_processes},
                    {"total_processes", host.total_processes}};
  if (!host.unreadable.empty()) json["unreadable"] = host.unreadable;
  return json;
}

Json system_info_json(const std::vector<HostView>& hosts, const char* collection_method) {
  uint64_t memory = 0, cores = 0;
  uint64_t least = hosts.front().facts->memory.total, most = 0;
  Json entries = Json::array();
  for (const HostView& host : hosts) {
    const uint64_t bytes = host.facts->memory.total;
    memory += bytes;
    cores += host.facts->cpu.physical_cores;
    least = std::min(least, bytes);
    most = std::max(most, bytes);
    entries.push_back(host_json(host));
  }
  Json json;
  json["total_memory_bytes"] = memory;
  json["total_cores"] = cores;
  json["num_hosts"] = hosts.size();
  json["min_memory_bytes"] = least;
  json["max_memory_bytes"] = most;
  json["collection_method"] = collection_method;
  json["collection_timestamp"] = iso_utc(hosts.front().facts->collected_wall_us);
  json["hosts"] = std::move(entries);
  const std::vector<std::string> issues = consistency_issues(hosts);
  if (!issues.empty()) json["host_consistency_issues"] = issues;
  return json;
}

Json cluster_info_json(const std::vector<HostView>& hosts, const char* collection_method) {
  Json cluster;
  for (const HostView& host : hosts) cluster[host.name] = raw_json(host.name, *host.facts);
  cluster["_metadata"] = {{"collection_method", collection_method},
                          {"collection_timestamp", iso_utc(hosts.front().facts->collected_wall_us)}};
  return cluster;
}

Json meminfo_json(const HostFacts& host) {
  return strings_json(host.meminfo);
}

Json cpuinfo_json(const HostFacts& host) {
  if (host.cpuinfo.empty()) return Json::object();
  Json json = strings_json(host.cpuinfo.back());
  json.erase("processor");
  return json;
}

void add_host_lists(Json& json, const std::vector<HostView>& hosts, double data_size_per_host_gib) {
  Json cpus = Json::array(), caching = Json::array(), memory = Json::array();
  for (const HostView& host : hosts) {
    cpus.push_back(host.facts->cpu.logical_cores);
    caching.push_back(potential_caching(*host.facts, data_size_per_host_gib));
    memory.push_back(to_gib(host.facts->memory.total));
  }
  const HostFacts& first = *hosts.front().facts;
  json["host_cpu_count"] = std::move(cpus);
  json["host_processor_name"] = first.cpu.architecture;
  json["potential_caching"] = std::move(caching);
  json["host_cpuinfo"] = cpuinfo_json(first);
  json["host_meminfo"] = meminfo_json(first);
  json["host_memory_GB"] = std::move(memory);
  json["data_size_per_host_GB"] = data_size_per_host_gib;
}

Json rank_host_json(const HostFacts& host, double data_size_per_host_gib) {
  Json json;
  json["host_memory_GB"] = to_gib(host.memory.total);
  json["host_cpu_count"] = host.cpu.logical_cores;
  json["host_processor_name"] = host.cpu.architecture;
  json["potential_caching"] = potential_caching(host, data_size_per_host_gib);
  json["host_cpuinfo"] = cpuinfo_json(host);
  json["host_meminfo"] = meminfo_json(host);
  return json;
}

}  // namespace mlps::results
