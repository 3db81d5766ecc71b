#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mlps::world {

/// A client host as the user named it. Without slots it takes an even share of the ranks.
struct Host {
  std::string name;
  std::optional<uint32_t> slots;  ///< the largest number of ranks it takes; at least 1
  bool operator==(const Host&) const = default;
};

/// Parses a host list: words, each split at commas and white space, of the form host or host:slots. E102 names an entry
/// that has another form, is given twice (case does not distinguish names), or is an IPv6 address, which no launcher's
/// host list can hold.
Result<std::vector<Host>> parse_host_list(const std::vector<std::string>& words);

/// Finds out what tells a host from others, whatever its name: addresses, or nothing where that is not known.
using IdentityOf = std::function<std::vector<std::string>(const std::string& name)>;

/// Returns E102 if two of the hosts are one under two names.
Status check_distinct(const std::vector<Host>& hosts, const IdentityOf& identity_of);

/// The ranks of one host, numbered without gaps in the order of the hosts.
struct HostShare {
  std::string host;
  uint32_t first_rank = 0;
  uint32_t ranks = 0;
  bool operator==(const HostShare&) const = default;
};

struct LayoutRules {
  bool oversubscribe = false;  ///< more ranks than slots are allowed; the surplus is spread evenly
  bool equal = false;          ///< every host must get the same number of ranks
};

/// Spreads `ranks` evenly over the hosts, the remainder to hosts in order, none above its slots. A layout that leaves a
/// host without ranks, exceeds the slots or breaks the rules is E102 with the nearest numbers of ranks that are legal.
Result<std::vector<HostShare>> layout(const std::vector<Host>& hosts, uint32_t ranks, const LayoutRules& rules = {});

}  // namespace mlps::world
