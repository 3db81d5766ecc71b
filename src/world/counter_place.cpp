#include "world/counter_place.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <optional>

#include "world/proc_text.hpp"

namespace mlps::world {
namespace {

constexpr int kDeepestLayers = 8;  // device-mapper on md on partitions: no real host has more

CounterPlace uncountable(std::string reason) {
  CounterPlace place;
  place.kind = CounterPlace::Kind::kUncountable;
  place.reason = std::move(reason);
  return place;
}

// The kernel counts nothing for a device whose queue/iostats is 0. Partitions have no queue: their disk's counts.
bool counts(const std::filesystem::path& device) {
  for (const auto& queue : {device / "queue/iostats", device.parent_path() / "queue/iostats"}) {
    if (const auto text = read_text(queue.string())) return trimmed(*text) != "0";
  }
  return true;
}

// Adds the names of the devices that count, from this one downwards; false if one of them has none.
bool add_counting(const std::filesystem::path& device, int depth, std::vector<std::string>& names) {
  if (counts(device)) {
    names.push_back(device.filename().string());
    return true;
  }
  std::error_code error;
  bool found = false;
  for (std::filesystem::directory_iterator slave(device / "slaves", error), end; !error && slave != end;
       slave.increment(error)) {
    const auto below = std::filesystem::canonical(slave->path(), error);
    if (error || depth == 0 || !add_counting(below, depth - 1, names)) return false;
    found = true;
  }
  return found && !error;
}

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

bool is_own(const std::string& address, const std::set<std::string>& own_addresses) {
  return address.starts_with("127.") || own_addresses.contains(address);
}

}  // namespace

std::string file_system_of(std::string_view mountinfo, unsigned major, unsigned minor) {
  const std::string number = fmt::format("{}:{}", major, minor);
  for (const std::string_view line : lines_of(mountinfo)) {
    // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": the type follows the lone dash.
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() < 3 || words[2] != number) continue;
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (dash != words.end() && dash + 1 != words.end()) return std::string(*(dash + 1));
  }
  return {};
}

CounterPlace place_of_device(unsigned major, unsigned minor, const CounterPaths& paths) {
  const std::string number = fmt::format("{}:{}", major, minor);
  std::error_code error;
  const auto device = std::filesystem::canonical(paths.sys + "/dev/block/" + number, error);
  if (error) {
    const std::string type = file_system_of(read_text(paths.mountinfo).value_or(""), major, minor);
    return uncountable(fmt::format("{} (device {}) is on no block device of its own",
                                   type.empty() ? std::string("its file system") : type, number));
  }
  CounterPlace place;
  place.kind = CounterPlace::Kind::kDisks;
  if (!add_counting(device, kDeepestLayers, place.disks)) {
    return uncountable(
        fmt::format("the kernel doesn't count I/O of {} (queue/iostats is 0)", device.filename().string()));
  }
  std::sort(place.disks.begin(), place.disks.end());
  place.disks.erase(std::unique(place.disks.begin(), place.disks.end()), place.disks.end());
  return place;
}

CounterPlace place_of_folder(const std::string& folder, const CounterPaths& paths) {
  struct stat entry {};
  std::filesystem::path at = folder;
  while (::stat(at.c_str(), &entry) != 0) {
    const std::filesystem::path parent = at.parent_path();
    if (parent == at || parent.empty()) return uncountable(errno_error(errno, "look at " + folder).message);
    at = parent;
  }
  return place_of_device(major(entry.st_dev), minor(entry.st_dev), paths);
}

std::string host_of_url(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find('/'));
  if (url.starts_with('[')) return std::string(url.substr(1, url.find(']') - 1));
  return std::string(url.substr(0, url.find(':')));
}

CounterPlace place_of_servers(std::string_view endpoints, const std::set<std::string>& own_addresses) {
  CounterPlace place;
  place.kind = CounterPlace::Kind::kNetwork;
  size_t servers = 0;
  while (!endpoints.empty()) {
    const size_t end = std::min(endpoints.find(','), endpoints.size());
    const std::string host = host_of_url(trimmed(endpoints.substr(0, end)));
    endpoints.remove_prefix(std::min(end + 1, endpoints.size()));
    const std::vector<std::string> addresses = addresses_of(host);
    const bool own = std::all_of(addresses.begin(), addresses.end(),
                                 [&](const std::string& address) { return is_own(address, own_addresses); });
    if (addresses.empty() || !own) return place;
    ++servers;
  }
  if (servers > 0) place.kind = CounterPlace::Kind::kLoopback;
  return place;
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

CounterPlace place_of(const Location& location, std::string_view endpoints) {
  if (location.is_file_system()) return place_of_folder(location.path());
  if (location.is_object_store()) return place_of_servers(endpoints, addresses_of_this_host());
  return {};
}

}  // namespace mlps::world
