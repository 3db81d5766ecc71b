#include "results/sample_json.hpp"

#include <algorithm>

#include "results/host_json.hpp"

namespace mlps::results {
namespace {

Json counters_json(const world::NamedCounters& counters) {
  Json json = Json::object();
  for (size_t i = 0; i < counters.values.size(); ++i) json.append((*counters.names)[i], counters.values[i]);
  return json;
}

// In seconds: ticks are a unit of the kernel's.
Json cpu_json(const world::CpuCounters& cpu) {
  Json json;
  const auto& names = world::cpu_counter_names();
  const auto per_second = static_cast<double>(world::ticks_per_second());
  for (size_t i = 0; i < names.size(); ++i) {
    json[std::string(names[i]) + "_s"] = static_cast<double>(cpu.ticks[i]) / per_second;
  }
  return json;
}

}  // namespace

Json sample_json(const std::string& hostname, const world::HostSample& sample, int64_t wall_us) {
  Json json;
  json["timestamp"] = iso_utc_us(wall_us);
  json["hostname"] = hostname;
  const auto was_read = [&](const char* member) {
    return std::none_of(sample.errors.begin(), sample.errors.end(),
                        [member](const auto& error) { return error.first == member; });
  };
  if (was_read("diskstats")) json["diskstats"] = disks_json(sample.disks);
  if (sample.vmstat.names) json["vmstat"] = counters_json(sample.vmstat);
  if (sample.meminfo.names) json["meminfo"] = counters_json(sample.meminfo);
  if (sample.load) json["loadavg"] = load_json(*sample.load);
  if (was_read("netdev")) json["netdev"] = network_json(sample.network);
  if (sample.cpu) json["cpu"] = cpu_json(*sample.cpu);
  json["process"] = {{"cpu_user_s", sample.process.cpu_user_s},
                     {"cpu_system_s", sample.process.cpu_system_s},
                     {"rss_bytes", sample.process.rss_bytes}};
  for (const auto& [member, why] : sample.errors) json["errors"][member] = why;
  return json;
}

}  // namespace mlps::results
