#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.hpp"
#include "world/system_facts.hpp"

namespace mlps::world {

/// Memory by /proc/meminfo, in bytes. used = total - free - buffers - cached, as mlpstorage 3.0 computes it.
struct MemoryFacts {
  std::optional<uint64_t> available;  ///< absent where the kernel doesn't say
  uint64_t total = 0, used = 0, free = 0, active = 0, inactive = 0, buffers = 0, cached = 0, shared = 0;
  bool operator==(const MemoryFacts&) const = default;
};
constexpr auto fields_of(Of<MemoryFacts>) {
  using M = MemoryFacts;
  return std::tuple(kept("total", &M::total), kept("available", &M::available), kept("used", &M::used),
                    kept("free", &M::free), kept("active", &M::active), kept("inactive", &M::inactive),
                    kept("buffers", &M::buffers), kept("cached", &M::cached), kept("shared", &M::shared));
}
static_assert(lists_every_member<MemoryFacts>());

struct CpuFacts {
  uint32_t physical_cores = 0;
  uint32_t logical_cores = 0;
  std::string model;         ///< "model name" of /proc/cpuinfo; empty where it has none
  std::string architecture;  ///< uname -m, "x86_64"
  uint32_t sockets = 0;      ///< distinct "physical id" of /proc/cpuinfo; 1 where it has none
  bool operator==(const CpuFacts&) const = default;
};
constexpr auto fields_of(Of<CpuFacts>) {
  return std::tuple(kept("", &CpuFacts::sockets), kept("num_cores", &CpuFacts::physical_cores),
                    kept("num_logical_cores", &CpuFacts::logical_cores), kept("model", &CpuFacts::model),
                    kept("architecture", &CpuFacts::architecture));
}
static_assert(lists_every_member<CpuFacts>());

inline constexpr std::array kDiskCounters = std::to_array<const char*>(
    {"reads_completed", "reads_merged", "sectors_read", "time_reading_ms", "writes_completed", "writes_merged",
     "sectors_written", "time_writing_ms", "ios_in_progress", "time_doing_ios_ms", "weighted_time_doing_ios_ms",
     "discards_completed", "discards_merged", "sectors_discarded", "time_discarding_ms", "flush_requests_completed",
     "time_flushing_ms"});
/// A line of /proc/diskstats: the counters of kDiskCounters, in that order; 0 where the kernel has fewer.
struct DiskFacts {
  std::string device;
  std::array<uint64_t, kDiskCounters.size()> counters{};
  bool operator==(const DiskFacts&) const = default;
};
constexpr auto fields_of(Of<DiskFacts>) {
  return std::tuple(kept("", &DiskFacts::device), kept("", &DiskFacts::counters));
}

inline constexpr std::array kNetworkCounters = std::to_array<const char*>(
    {"rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "rx_fifo", "rx_frame", "rx_compressed", "rx_multicast",
     "tx_bytes", "tx_packets", "tx_errors", "tx_dropped", "tx_fifo", "tx_collisions", "tx_carrier", "tx_compressed"});
/// A line of /proc/net/dev: the counters of kNetworkCounters, receive first.
struct NetworkFacts {
  std::string interface;
  std::array<uint64_t, kNetworkCounters.size()> counters{};
  bool operator==(const NetworkFacts&) const = default;
};
constexpr auto fields_of(Of<NetworkFacts>) {
  return std::tuple(kept("", &NetworkFacts::interface), kept("", &NetworkFacts::counters));
}

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
  SystemFacts system;
  std::vector<std::string> unreadable;  ///< paths that could not be read; their facts are zero or empty
  bool operator==(const HostFacts&) const = default;
};
constexpr auto fields_of(Of<HostFacts>) {
  using F = HostFacts;
  return std::tuple(kept("", &F::hostname), kept("", &F::collected_wall_us), kept("", &F::memory),
                    kept("", &F::meminfo), kept("", &F::cpu), kept("", &F::cpuinfo), kept("", &F::disks),
                    kept("", &F::network), kept("", &F::kernel_version), kept("", &F::os_release),
                    kept("", &F::uptime_s), kept("", &F::load_1min), kept("", &F::load_5min), kept("", &F::load_15min),
                    kept("", &F::running_processes), kept("", &F::total_processes), kept("", &F::system),
                    kept("", &F::unreadable));
}
static_assert(lists_every_member<HostFacts>());
/// What pack() calls them: some ten KiB, with hundreds of processors some hundred.
inline constexpr const char* kHostFacts = "host facts";

/// The folders that the facts are read from; tests give their own.
struct HostPaths {
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string os_release = "/etc/os-release";
};

/// Reads everything once, in a few milliseconds. Never fails: see HostFacts::unreadable.
HostFacts collect_host_facts(const HostPaths& paths = {});

/// Returns the memory of this host as it is now; 0 and absent where it can't be read.
MemoryFacts memory_of_host(const HostPaths& paths = {});

/// Returns uname's node name, the host name of records and result files.
std::string host_name();

}  // namespace mlps::world
