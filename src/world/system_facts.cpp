#include "world/system_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/text.hpp"
#include "world/proc_text.hpp"

namespace mlps::world {
namespace {

using std::filesystem::path;

constexpr uint64_t kMbitPerGbit = 1000;

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [text](std::string_view beginning) { return text.starts_with(beginning); });
}

/// Returns the trimmed text of a file; empty if it can't be read.
std::string text_at(const path& file) {
  const auto text = read_text(file.string());
  return text ? std::string(trimmed(*text)) : std::string();
}

uint64_t number_at(const path& file) {
  return number_or_zero<uint64_t>(text_at(file));
}

bool is_there(const path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error);
}

/// Returns the entries of a folder by name; none if it can't be read.
std::vector<path> entries_of(const path& folder) {
  std::vector<path> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string chassis_model(const path& sys) {
  constexpr std::array<std::string_view, 9> kPlaceholders = {
      "default string", "system product name", "system manufacturer", "to be filled by o.e.m.",
      "none",           "not specified",       "not applicable",      "oem",
      "unknown"};
  std::string model = text_at(sys / "class/dmi/id/product_name");
  std::string lower = model;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool says_nothing = std::find(kPlaceholders.begin(), kPlaceholders.end(), lower) != kPlaceholders.end();
  return says_nothing ? std::string() : model;
}

/// Returns whether an interface is a port of its own: hardware or a bond, no bridge, VLAN or member of a bond.
bool is_port(const path& interface) {
  const std::string name = interface.filename().string();
  if (name == "lo" || starts_with_any(name, {"docker", "virbr", "veth", "tun", "tap", "gre", "wg", "ib"})) return false;
  constexpr uint64_t kEthernet = 1;
  return number_at(interface / "type") == kEthernet && !is_there(interface / "bridge") &&
         !is_there(interface / "bonding_slave") && text_at(interface / "iflink") == text_at(interface / "ifindex");
}

/// Returns the speed in Mbit/s, of a bond that of its members together; 0 where it is not known ("-1").
uint64_t mbit_per_s(const path& interface) {
  uint64_t speed = 0;
  const std::string members = text_at(interface / "bonding/slaves");
  for (const std::string_view member : words_of(members)) {
    speed += number_at(interface.parent_path() / member / "speed");
  }
  return speed != 0 ? speed : number_at(interface / "speed");
}

void add_ethernet(const path& sys, std::vector<PortFacts>& ports) {
  for (const path& interface : entries_of(sys / "class/net")) {
    if (!is_port(interface)) continue;
    const std::string state = text_at(interface / "operstate");
    PortFacts port{interface.filename().string(), "ethernet", state == "up" || state == "unknown", 0};
    if (port.up) port.speed_gbit_s = mbit_per_s(interface) / kMbitPerGbit;
    port.up = port.speed_gbit_s != 0;
    ports.push_back(std::move(port));
  }
}

void add_infiniband(const path& sys, std::vector<PortFacts>& ports) {
  for (const path& adapter : entries_of(sys / "class/infiniband")) {
    for (const path& place : entries_of(adapter / "ports")) {
      PortFacts port{adapter.filename().string() + "/" + place.filename().string(), "infiniband",
                     text_at(place / "state").starts_with("4:"), 0};
      if (port.up) port.speed_gbit_s = number_at(place / "rate");  // "200 Gb/sec (4X HDR)"
      ports.push_back(std::move(port));
    }
  }
}

std::string interface_of(const path& drive) {
  if (drive.filename().string().starts_with("nvme")) return "nvme";
  // The path of the device tells how it is attached: ".../ata1/host0/...", ".../sas_address".
  std::error_code error;
  const std::string place = std::filesystem::canonical(drive, error).string();
  if (place.find("/ata") != std::string::npos) return "sata";
  return is_there(drive / "device/sas_address") ? "sas" : "";
}

std::vector<DriveFacts> drives_of(const path& sys) {
  std::vector<DriveFacts> drives;
  for (const path& drive : entries_of(sys / "block")) {
    const std::string name = drive.filename().string();
    if (starts_with_any(name, {"loop", "dm-", "md", "zram", "ram", "sr", "fd", "nbd"})) continue;
    const uint64_t sectors = number_at(drive / "size");
    if (number_at(drive / "removable") != 0 || sectors == 0) continue;
    drives.push_back({name, text_at(drive / "device/vendor"), text_at(drive / "device/model"), interface_of(drive),
                      sectors * kSectorBytes, number_at(drive / "queue/rotational") != 0,
                      text_at(drive / "queue/scheduler"), number_at(drive / "queue/read_ahead_kb")});
  }
  return drives;
}

TextPairs sysctl_of(const path& proc) {
  constexpr std::array<std::string_view, 12> kKernelNames = {"fs/aio-max-nr",
                                                             "fs/file-max",
                                                             "fs/nr_open",
                                                             "fs/inotify/max_user_watches",
                                                             "kernel/io_uring_disabled",
                                                             "kernel/numa_balancing",
                                                             "kernel/pid_max",
                                                             "kernel/sched_autogroup_enabled",
                                                             "kernel/shmall",
                                                             "kernel/shmmax",
                                                             "kernel/threads-max",
                                                             "net/ipv4/ip_local_port_range"};
  const path sys = proc / "sys";
  std::vector<path> files;
  files.reserve(kKernelNames.size());
  for (const std::string_view name : kKernelNames) files.push_back(sys / name);
  for (const char* folder : {"net/core", "net/ipv4", "vm"}) {
    for (path& file : entries_of(sys / folder)) {
      const bool of_udp = std::string_view(folder) == "net/ipv4" && !file.filename().string().starts_with("tcp_");
      if (!of_udp && std::filesystem::is_regular_file(file)) files.push_back(std::move(file));
    }
  }
  TextPairs values;
  for (const path& file : files) {
    std::string value = text_at(file);
    if (value.empty() || value.size() > 256) continue;  // tables of the kernel are no settings
    std::string name = file.lexically_relative(sys).string();
    std::replace(name.begin(), name.end(), '/', '.');
    values.emplace_back(std::move(name), std::move(value));
  }
  std::sort(values.begin(), values.end());
  return values;
}

/// Returns the value of a variable as it may be shown: of a key its ends, of a secret its length.
std::string shown(std::string_view name, const std::string& value) {
  constexpr size_t kEnd = 4;
  if (name.find("KEY_ID") != std::string_view::npos) {
    if (value.size() < 3 * kEnd) return "****";
    return value.substr(0, kEnd) + "****" + value.substr(value.size() - kEnd);
  }
  for (const char* word : {"SECRET", "TOKEN", "PASS", "KEY", "CREDENTIAL", "AUTH"}) {
    if (name.find(word) != std::string_view::npos) return fmt::format("({} characters)", value.size());
  }
  const size_t at = value.find('@'), user = value.find("//");
  if (at == std::string::npos || user == std::string::npos || user > at) return value;
  return value.substr(0, user + 2) + "****" + value.substr(at);
}

TextPairs environment_of(const Environment& environment) {
  TextPairs values;
  for (const auto& [name, value] : environment.values()) {
    if (value.empty() || (name != "BUCKET" && !starts_with_any(name, {"AWS_", "STORAGE_", "OMPI_", "UCX_", "NCCL_",
                                                                      "MLPSTORAGE_", "MLPERF_", "MLPS_"}))) {
      continue;
    }
    values.emplace_back(name, shown(name, value));
  }
  return values;
}

}  // namespace

SystemFacts collect_system_facts(const std::string& sys, const std::string& proc, const Environment& environment) {
  SystemFacts facts;
  facts.chassis_model = chassis_model(sys);
  add_ethernet(sys, facts.ports);
  add_infiniband(sys, facts.ports);
  facts.drives = drives_of(sys);
  facts.sysctl = sysctl_of(proc);
  facts.environment = environment_of(environment);
  return facts;
}

}  // namespace mlps::world
