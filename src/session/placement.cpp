#include "session/placement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "flags/text.hpp"

namespace mlps::cli {
namespace {

using Shares = Result<std::vector<world::HostShare>>;

Shares lay_out(const BenchmarkOptions& options, const RankDemand& ranks, const std::vector<world::Host>& hosts) {
  world::LayoutRules rules;
  rules.oversubscribe = options.hosts.oversubscribe;
  rules.equal = ranks.measured && options.common.mode != Mode::kWhatif;
  return world::layout(hosts, ranks.count, rules);
}

// "node1.cluster" is "node1".
std::string short_name(const std::string& host) {
  return lower(host.substr(0, host.find('.')));
}

bool is_address(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos;
}

/// Returns for each process the entry of its host; nothing if one is on no host of the list. Processes on one host
/// share its slots.
std::vector<world::Host> in_process_order(const std::vector<world::Member>& members,
                                          const std::vector<world::Host>& hosts) {
  const auto is_named = [](const world::Host& host, const world::Member& member) {
    return !is_address(host.name) && short_name(host.name) == short_name(member.host);
  };
  std::vector<world::Host> ordered;
  for (const world::Member& member : members) {
    const auto named =
        std::find_if(hosts.begin(), hosts.end(), [&](const auto& host) { return is_named(host, member); });
    if (named == hosts.end()) return {};
    const auto here = static_cast<uint32_t>(
        std::count_if(members.begin(), members.end(), [&](const auto& other) { return is_named(*named, other); }));
    ordered.push_back({member.host, std::nullopt});
    if (named->slots) ordered.back().slots = std::max(1U, *named->slots / here);
  }
  return ordered;
}

}  // namespace

Shares planned_shares(const BenchmarkOptions& options, const RankDemand& ranks) {
  const auto hosts = world::parse_host_list(options.hosts.hosts);
  if (!hosts) return fail(hosts.error());
  return lay_out(options, ranks, *hosts);
}

Shares place_ranks(const BenchmarkOptions& options, const RankDemand& ranks,
                   const std::vector<world::Member>& members) {
  auto hosts = world::parse_host_list(options.hosts.hosts);
  if (!hosts) return fail(hosts.error());
  auto ordered = in_process_order(members, *hosts);
  if (!ordered.empty()) return lay_out(options, ranks, ordered);
  // Names of another kind (addresses, aliases): entries and processes stand for each other in their order.
  if (hosts->size() == members.size()) return lay_out(options, ranks, *hosts);
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("--hosts names {} hosts, but {} {} started", hosts->size(), members.size(),
                          members.size() == 1 ? "process was" : "processes were"),
              {}, "one process per host: leave --hosts out, or have the launcher start as many");
}

}  // namespace mlps::cli
