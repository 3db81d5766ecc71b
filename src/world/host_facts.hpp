#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mlps::world {

/// Memory by /proc/meminfo, in bytes. used = total - free - buffers - cached, as mlpstorage 3.0 computes it.
struct MemoryFacts {
  uint64_t total = 0, available = 0, used = 0, free = 0, active = 0, inactive = 0, buffers = 0, cached = 0, shared = 0;
  bool operator==(const MemoryFacts&) const = default;
};

struct CpuFacts {
  uint32_t physical_cores = 0;
  uint32_t logical_cores = 0;
  std::string model;         ///< "model name" of /proc/cpuinfo; empty where it has none
  std::string architecture;  ///< uname -m, "x86_64"
  bool operator==(const CpuFacts&) const = default;
};

/// A line of /proc/diskstats: the counters of disk_counter_names(), in that order; 0 where the kernel has fewer.
struct DiskFacts {
  std::string device;
  std::array<uint64_t, 17> counters{};
  bool operator==(const DiskFacts&) const = default;
};
const std::array<const char*, 17>& disk_counter_names();

/// A line of /proc/net/dev: the counters of network_counter_names(), receive first.
struct NetworkFacts {
  std::string interface;
  std::array<uint64_t, 16> counters{};
  bool operator==(const NetworkFacts&) const = default;
};
const std::array<const char*, 16>& network_counter_names();

using TextPairs = std::vector<std::pair<std::string, std::string>>;

/// Holds what a host reports about itself at one moment: the fields that mlpstorage 3.0 collects on every host.
struct HostFacts {
  std::string hostname;
  int64_t collected_wall_us = 0;
  MemoryFacts memory;
  TextPairs meminfo;  ///< as /proc has it: ("MemTotal", "16384 kB")
  CpuFacts cpu;
  std::vector<TextPairs> cpuinfo;  ///< one stanza per logical CPU
  std::vector<DiskFacts> disks;
  std::vector<NetworkFacts> network;
  std::string kernel_version;  ///< /proc/version
  TextPairs os_release;
  double uptime_s = 0;
  double load_1min = 0, load_5min = 0, load_15min = 0;
  uint64_t running_processes = 0, total_processes = 0;
  std::vector<std::string> unreadable;  ///< paths that could not be read; their facts are zero or empty
  bool operator==(const HostFacts&) const = default;
};

/// The folders that the facts are read from; tests give their own.
struct HostPaths {
  std::string proc = "/proc";
  std::string os_release = "/etc/os-release";
};

/// Reads everything once, in a few milliseconds. Never fails: see HostFacts::unreadable.
HostFacts collect_host_facts(const HostPaths& paths = {});

/// Returns this host's MemTotal; 0 where it can't be read.
uint64_t host_memory_bytes();

/// Returns uname's node name, the host name of records and result files.
std::string host_name();

}  // namespace mlps::world
