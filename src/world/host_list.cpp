#include "world/host_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"

namespace mlps::world {
namespace {

constexpr uint32_t kMostSlots = 1'000'000;
constexpr const char* kExample = "for example: --hosts node1:8,node2:8";

tl::unexpected<Error> refused(const std::string& entry, const std::string& why, const std::string& suggestion) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("--hosts: '{}' {}", entry, why), {}, suggestion);
}

// A first '-' would be read as an option by the launcher.
bool is_host_name(std::string_view name) {
  constexpr std::string_view kLegal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= 253 && name.find_first_not_of(kLegal) == std::string_view::npos &&
         name.front() != '-' && name.front() != '.';
}

Result<uint32_t> parse_slots(const std::string& entry, std::string_view text) {
  const auto slots = parse_number<uint32_t>(text);
  if (slots && *slots >= 1 && *slots <= kMostSlots) return *slots;
  return refused(entry, fmt::format("must have a number of slots from 1 to {} after the colon", kMostSlots), kExample);
}

Result<Host> parse_host(const std::string& entry) {
  constexpr std::string_view kAddress = "[]0123456789abcdefABCDEF:.";
  const bool is_address = entry.find_first_not_of(kAddress) == std::string::npos;
  if (is_address && std::count(entry.begin(), entry.end(), ':') > 1) {
    return refused(entry, "is an IPv6 address, which the host lists of MPI launchers can't hold",
                   "give the host a name (DNS or /etc/hosts) and use that");
  }
  const size_t colon = entry.find(':');
  Host host{entry.substr(0, colon), std::nullopt};
  if (!is_host_name(host.name)) return refused(entry, "is not of the form host or host:slots", kExample);
  if (colon == std::string::npos) return host;
  const Result<uint32_t> slots = parse_slots(entry, std::string_view(entry).substr(colon + 1));
  if (!slots) return fail(slots.error());
  host.slots = *slots;
  return host;
}

// Returns how many ranks fit a host; all of them fit one without slots.
uint64_t room(const Host& host, uint32_t ranks) {
  return host.slots.value_or(ranks);
}

// Returns the nearest legal numbers of ranks around `ranks`, among multiples of `step` from `least` to `most`.
std::string nearest(uint64_t ranks, uint64_t step, uint64_t least, uint64_t most) {
  const uint64_t below = std::min(ranks / step * step, most / step * step);
  const uint64_t above = std::max((ranks + step - 1) / step * step, least);
  std::vector<uint64_t> legal;
  if (below >= least && below <= most) legal.push_back(below);
  if (above >= least && above <= most && (legal.empty() || legal.back() != above)) legal.push_back(above);
  if (legal.empty()) return {};
  return fmt::format("nearest legal: {} ranks", join(legal, " or "));
}

Status check_layout(const std::vector<Host>& hosts, uint32_t ranks, const LayoutRules& rules) {
  const uint64_t count = hosts.size();
  uint64_t slots = 0, smallest = UINT32_MAX;
  bool all_given = true;
  for (const Host& host : hosts) {
    all_given = all_given && host.slots.has_value();
    slots += host.slots.value_or(0);
    smallest = std::min<uint64_t>(smallest, host.slots.value_or(UINT32_MAX));
  }
  const bool capped = !rules.oversubscribe && all_given;
  const uint64_t step = rules.equal ? count : 1;
  uint64_t most = capped ? slots : UINT32_MAX;
  if (rules.equal && !rules.oversubscribe) most = smallest * count;
  const std::string legal = nearest(ranks, step, count, most);
  if (ranks < count) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{} ranks can't be spread over {} hosts: a host would have none", ranks, count), {}, legal);
  }
  if (rules.equal && ranks % count != 0) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} ranks can't be spread evenly over {} hosts", ranks, count),
                {}, legal);
  }
  if (ranks > most) {
    const std::string why = rules.equal ? fmt::format("{} of them on a host that has {} slots", ranks / count, smallest)
                                        : fmt::format("the hosts have {} slots", slots);
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} ranks are too many: {}", ranks, why), {},
                legal + "; or allow more ranks than slots with --oversubscribe");
  }
  return {};
}

}  // namespace

Result<std::vector<Host>> parse_host_list(const std::vector<std::string>& words) {
  std::vector<Host> hosts;
  std::set<std::string> seen;
  for (const std::string& entry : split(join(words, ","), ", \t\r\n")) {
    Result<Host> host = parse_host(entry);
    if (!host) return fail(std::move(host.error()));
    if (!seen.insert(lower(host->name)).second) {
      return refused(entry, "stands twice", fmt::format("name a host once, with its slots: {}:2", host->name));
    }
    hosts.push_back(std::move(*host));
  }
  if (hosts.empty()) return fail(ErrorCode::kConfigInvalid, "--hosts: the list is empty", {}, kExample);
  return hosts;
}

Status check_distinct(const std::vector<Host>& hosts, const IdentityOf& identity_of) {
  std::map<std::string, std::string> names;  // by a piece of the identity
  for (const Host& host : hosts) {
    for (const std::string& piece : identity_of(host.name)) {
      const auto [known, is_new] = names.emplace(piece, host.name);
      if (is_new || known->second == host.name) continue;
      return refused(host.name, fmt::format("and '{}' are one host ({})", known->second, piece),
                     fmt::format("name a host once, with its slots: {}:2", host.name));
    }
  }
  return {};
}

Result<std::vector<HostShare>> layout(const std::vector<Host>& hosts, uint32_t ranks, const LayoutRules& rules) {
  if (hosts.empty()) return fail(ErrorCode::kConfigInvalid, "--hosts: the list is empty", {}, kExample);
  if (Status status = check_layout(hosts, ranks, rules); !status) return fail(std::move(status.error()));
  std::vector<HostShare> shares;
  for (const Host& host : hosts) shares.push_back({host.name, 0, 0});
  uint32_t left = ranks;
  // One rank each in turn while there is room; ranks beyond all slots (oversubscribed) are then dealt without limit.
  for (const bool limited : {true, false}) {
    for (bool placed = true; left > 0 && placed;) {
      placed = false;
      for (size_t i = 0; i < hosts.size() && left > 0; ++i) {
        if (limited && !rules.equal && shares[i].ranks >= room(hosts[i], ranks)) continue;
        ++shares[i].ranks;
        --left;
        placed = true;
      }
    }
  }
  for (size_t i = 1; i < shares.size(); ++i) shares[i].first_rank = shares[i - 1].first_rank + shares[i - 1].ranks;
  return shares;
}

}  // namespace mlps::world
