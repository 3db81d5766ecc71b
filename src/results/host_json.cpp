#include "results/host_json.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/clock.hpp"
#include "base/units.hpp"

namespace mlps::results {
namespace {

using world::HostFacts;

constexpr const char* kCollectionMethod = "local";

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

Json memory_json(const world::MemoryFacts& memory) {
  return {{"total", memory.total},     {"available", memory.available}, {"used", memory.used},
          {"free", memory.free},       {"active", memory.active},       {"inactive", memory.inactive},
          {"buffers", memory.buffers}, {"cached", memory.cached},       {"shared", memory.shared}};
}

}  // namespace

Json disks_json(const std::vector<world::DiskFacts>& disks) {
  Json json = Json::array();
  const auto& names = world::disk_counter_names();
  for (const world::DiskFacts& disk : disks) {
    Json& line = json.emplace_back(Json{{"device_name", disk.device}});
    for (size_t i = 0; i < names.size(); ++i) line[names[i]] = disk.counters[i];
  }
  return json;
}

Json network_json(const std::vector<world::NetworkFacts>& networks) {
  Json json = Json::array();
  const auto& names = world::network_counter_names();
  for (const world::NetworkFacts& network : networks) {
    Json& line = json.emplace_back(Json{{"interface_name", network.interface}});
    for (size_t i = 0; i < names.size(); ++i) line[names[i]] = network.counters[i];
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

Json host_json(const HostFacts& host) {
  Json json;
  json["hostname"] = host.hostname;
  json["memory"] = memory_json(host.memory);
  json["collection_timestamp"] = iso_utc(host.collected_wall_us);
  json["cpu"] = {{"num_cores", host.cpu.physical_cores},
                 {"num_logical_cores", host.cpu.logical_cores},
                 {"model", host.cpu.model},
                 {"architecture", host.cpu.architecture}};
  json["disks"] = disks_json(host.disks);
  json["network"] = network_json(host.network);
  json["system"] = {{"hostname", host.hostname},
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

Json system_info_json(const HostFacts& host) {
  Json json;
  json["total_memory_bytes"] = host.memory.total;
  json["total_cores"] = host.cpu.physical_cores;
  json["num_hosts"] = 1;
  json["min_memory_bytes"] = host.memory.total;
  json["max_memory_bytes"] = host.memory.total;
  json["collection_method"] = kCollectionMethod;
  json["collection_timestamp"] = iso_utc(host.collected_wall_us);
  json["hosts"] = Json::array({host_json(host)});
  return json;
}

Json cluster_info_json(const HostFacts& host) {
  Json cpus = Json::array();
  for (const world::TextPairs& cpu : host.cpuinfo) cpus.push_back(parsed_json(cpu));
  Json json;
  json["hostname"] = host.hostname;
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
  Json cluster;
  cluster[host.hostname] = std::move(json);
  cluster["_metadata"] = {{"collection_method", kCollectionMethod},
                          {"collection_timestamp", iso_utc(host.collected_wall_us)}};
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

void add_host_lists(Json& json, const world::HostFacts& host, int potential_caching) {
  json["host_cpu_count"] = Json::array({host.cpu.logical_cores});
  json["host_processor_name"] = host.cpu.architecture;
  json["potential_caching"] = Json::array({potential_caching});
  json["host_cpuinfo"] = cpuinfo_json(host);
  json["host_meminfo"] = meminfo_json(host);
  json["host_memory_GB"] = Json::array({to_gib(host.memory.total)});
}

Json rank_host_json(const world::HostFacts& host, int potential_caching) {
  Json json;
  json["host_memory_GB"] = to_gib(host.memory.total);
  json["host_cpu_count"] = host.cpu.logical_cores;
  json["host_processor_name"] = host.cpu.architecture;
  json["potential_caching"] = potential_caching;
  json["host_cpuinfo"] = cpuinfo_json(host);
  json["host_meminfo"] = meminfo_json(host);
  return json;
}

}  // namespace mlps::results
