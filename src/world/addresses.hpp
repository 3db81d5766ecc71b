#pragma once

#include <set>
#include <string>
#include <vector>

/// Network addresses of hosts, as numeric texts: "10.0.0.1", "fe80::1".
namespace mlps::world {

/// Returns the addresses of a host by its name, or the one that `host` spells; none where it has none that this host
/// can find out. Asks the resolver, which may take seconds.
std::vector<std::string> addresses_of(const std::string& host);

std::set<std::string> addresses_of_this_host();

/// Whether an address is one of this host's: one of `own_addresses`, as addresses_of_this_host() returns them, or of
/// the loopback network.
bool is_own_address(const std::string& address, const std::set<std::string>& own_addresses);

/// Whether a name or an address stands for this host.
bool is_this_host(const std::string& host);

/// Returns what tells hosts apart whatever name they were given: their addresses, or "this host" alone. None where they
/// can't be found out.
std::vector<std::string> identity_of(const std::string& host);

}  // namespace mlps::world
