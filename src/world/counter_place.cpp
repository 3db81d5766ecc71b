#include "world/counter_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/mount_table.hpp"
#include "world/addresses.hpp"
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

// The kernel counts nothing for a device whose queue/iostats is 0. For a partition, which has no queue, that of its
// disk counts.
bool counts(const std::filesystem::path& device) {
  for (const auto& queue : {device / "queue/iostats", device.parent_path() / "queue/iostats"}) {
    if (const auto text = read_text(queue.string())) return trimmed(*text) != "0";
  }
  return true;
}

// Adds the names of the devices that count, from this one downwards; returns false if one of them has no name.
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

}  // namespace

CounterPlace place_of_device(unsigned major, unsigned minor, const CounterPaths& paths, const std::string& type) {
  const std::string number = fmt::format("{}:{}", major, minor);
  std::error_code error;
  const auto device = std::filesystem::canonical(paths.sys + "/dev/block/" + number, error);
  if (error) {
    std::string name = type.empty() ? file_system_of(read_text(paths.mountinfo).value_or(""), major, minor) : type;
    if (name.empty()) name = "its file system";
    return uncountable(fmt::format("{} (device {}) is on no block device of its own", name, number));
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
  struct statx entry {};
  std::filesystem::path at = folder;
  while (::statx(AT_FDCWD, at.c_str(), 0, STATX_BASIC_STATS | STATX_MNT_ID, &entry) != 0) {
    const std::filesystem::path parent = at.parent_path();
    if (parent == at || parent.empty()) return uncountable(errno_error(errno, "look at " + folder).message);
    at = parent;
  }
  std::optional<Mount> mount;
  if ((entry.stx_mask & STATX_MNT_ID) != 0) {
    mount = mount_of(read_text(paths.mountinfo).value_or(""), entry.stx_mnt_id);
  }
  return place_of_device(entry.stx_dev_major, entry.stx_dev_minor, paths, mount ? mount->type : "");
}

CounterPlace place_of_servers(const std::vector<storage::Endpoint>& servers,
                              const std::set<std::string>& own_addresses) {
  const bool all_own = std::all_of(servers.begin(), servers.end(), [&](const storage::Endpoint& server) {
    const std::vector<std::string> addresses = addresses_of(server.host_name());
    return !addresses.empty() && std::all_of(addresses.begin(), addresses.end(), [&](const std::string& address) {
      return is_own_address(address, own_addresses);
    });
  });
  CounterPlace place;
  place.kind = all_own && !servers.empty() ? CounterPlace::Kind::kLoopback : CounterPlace::Kind::kNetwork;
  return place;
}

CounterPlace place_of(const Location& location, const std::vector<storage::Endpoint>& servers) {
  if (location.is_file_system()) return place_of_folder(location.path());
  if (location.is_object_store()) return place_of_servers(servers, addresses_of_this_host());
  return {};
}

}  // namespace mlps::world
