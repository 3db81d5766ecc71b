#include "gates/job_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"

namespace mlps::gates {
namespace {

constexpr int64_t kWallClocksApartNs = 1'000'000'000;

uint64_t processes_on(const std::string& host, const std::vector<world::Member>& members) {
  return static_cast<uint64_t>(
      std::count_if(members.begin(), members.end(), [&](const world::Member& member) { return member.host == host; }));
}

}  // namespace

std::vector<std::string> distinct_hosts(const std::vector<world::Member>& members) {
  std::vector<std::string> hosts;
  for (const world::Member& member : members) {
    if (std::find(hosts.begin(), hosts.end(), member.host) == hosts.end()) hosts.push_back(member.host);
  }
  return hosts;
}

std::vector<std::string> job_warnings(const std::vector<world::Member>& members) {
  std::vector<std::string> warnings;
  const auto [behind, ahead] = std::minmax_element(
      members.begin(), members.end(),
      [](const world::Member& a, const world::Member& b) { return a.clock.wall_ns < b.clock.wall_ns; });
  const int64_t apart_ns = ahead->clock.wall_ns - behind->clock.wall_ns;
  if (apart_ns > kWallClocksApartNs) {
    warnings.push_back(
        fmt::format("the wall clock of host {} is {:.1f} s ahead of host {}'s: results carry wall times; let a time "
                    "service set the clocks",
                    ahead->host, to_seconds(apart_ns), behind->host));
  }
  std::map<uint64_t, std::vector<std::string>> hosts_by_processes;
  for (const std::string& host : distinct_hosts(members)) {
    hosts_by_processes[processes_on(host, members)].push_back(host);
  }
  hosts_by_processes.erase(1);
  for (const auto& [processes, hosts] : hosts_by_processes) {
    warnings.push_back(
        fmt::format("{} processes run on {} {}; one per host is enough: ranks are threads inside, "
                    "buffers are taken {} times",
                    processes, hosts.size() == 1 ? "host" : "each of the hosts", join(hosts, ", "), processes));
  }
  return warnings;
}

}  // namespace mlps::gates
