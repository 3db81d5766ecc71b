#include "world/addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "world/host_facts.hpp"

namespace mlps::world {
namespace {

std::optional<std::string> address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (bytes == nullptr || ::inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr) {
    return std::nullopt;
  }
  return std::string(text.data());
}

}  // namespace

std::vector<std::string> addresses_of(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (auto text = address_text(at->ai_addr)) addresses.push_back(std::move(*text));
  }
  return addresses;
}

std::set<std::string> addresses_of_this_host() {
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) return {"127.0.0.1", "::1"};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(found, &::freeifaddrs);
  std::set<std::string> addresses;
  for (const ifaddrs* at = found; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    if (auto text = address_text(at->ifa_addr)) addresses.insert(std::move(*text));
  }
  return addresses;
}

bool is_own_address(const std::string& address, const std::set<std::string>& own_addresses) {
  return address.starts_with("127.") || own_addresses.contains(address);
}

bool is_this_host(const std::string& host) {
  if (host == "localhost" || host == host_name()) return true;
  const std::vector<std::string> addresses = addresses_of(host);
  const std::set<std::string> own = addresses_of_this_host();
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const std::string& address) { return is_own_address(address, own); });
}

std::vector<std::string> identity_of(const std::string& host) {
  return is_this_host(host) ? std::vector<std::string>{"this host"} : addresses_of(host);
}

}  // namespace mlps::world
