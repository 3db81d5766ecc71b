#include "world/host_facts.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/clock.hpp"
#include "world/proc_text.hpp"

namespace mlps::world {
namespace {

constexpr uint64_t kBytesPerKb = 1024;  // the kernel's "kB" are KiB

std::string value_of(const TextPairs& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [name](const auto& pair) { return pair.first == name; });
  return found == pairs.end() ? std::string() : found->second;
}

// Returns a whole file, or notes that it can't be read.
std::string text_of(const std::string& path, HostFacts& facts) {
  auto text = read_text(path);
  if (text) return std::move(*text);
  facts.unreadable.push_back(path);
  return {};
}

void read_memory(std::string_view text, HostFacts& facts) {
  facts.meminfo = parse_pairs(text);
  const auto bytes = [&facts](std::string_view name) {
    return number_or_zero<uint64_t>(value_of(facts.meminfo, name)) * kBytesPerKb;
  };
  MemoryFacts& memory = facts.memory;
  memory.total = bytes("MemTotal");
  memory.available = bytes("MemAvailable");
  memory.free = bytes("MemFree");
  memory.active = bytes("Active");
  memory.inactive = bytes("Inactive");
  memory.buffers = bytes("Buffers");
  memory.cached = bytes("Cached");
  memory.shared = bytes("Shmem");
  const uint64_t not_used = memory.free + memory.buffers + memory.cached;
  memory.used = memory.total > not_used ? memory.total - not_used : 0;
}

void read_cpus(std::string_view text, HostFacts& facts) {
  TextPairs stanza;
  const auto close = [&] {
    // Some architectures end with a stanza about the machine; a CPU has a "processor" line.
    if (!value_of(stanza, "processor").empty()) facts.cpuinfo.push_back(stanza);
    stanza.clear();
  };
  for (const std::string_view line : lines_of(text)) {
    if (trimmed(line).empty()) {
      close();
    } else if (auto pair = pair_of(line, ':')) {
      stanza.push_back(std::move(*pair));
    }
  }
  close();

  std::set<std::pair<std::string, std::string>> cores;
  for (const TextPairs& cpu : facts.cpuinfo) {
    const std::string core = value_of(cpu, "core id");
    if (!core.empty()) cores.emplace(value_of(cpu, "physical id"), core);
  }
  facts.cpu.logical_cores = static_cast<uint32_t>(facts.cpuinfo.size());
  facts.cpu.physical_cores = cores.empty() ? facts.cpu.logical_cores : static_cast<uint32_t>(cores.size());
  if (!facts.cpuinfo.empty()) facts.cpu.model = value_of(facts.cpuinfo.front(), "model name");
}

void read_load(std::string_view text, HostFacts& facts) {
  const LoadFacts load = parse_load(text).value_or(LoadFacts{});
  facts.load_1min = load.load_1min;
  facts.load_5min = load.load_5min;
  facts.load_15min = load.load_15min;
  facts.running_processes = load.running_processes;
  facts.total_processes = load.total_processes;
}

void read_os_release(std::string_view text, HostFacts& facts) {
  for (const std::string_view line : lines_of(text)) {
    if (trimmed(line).starts_with('#')) continue;
    auto pair = pair_of(line, '=');
    if (!pair) continue;
    std::string& value = pair->second;
    const bool quoted =
        value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value[0];
    if (quoted) value = value.substr(1, value.size() - 2);
    facts.os_release.push_back(std::move(*pair));
  }
}

}  // namespace

const std::array<const char*, 17>& disk_counter_names() {
  static constexpr std::array<const char*, 17> kNames = {"reads_completed",
                                                         "reads_merged",
                                                         "sectors_read",
                                                         "time_reading_ms",
                                                         "writes_completed",
                                                         "writes_merged",
                                                         "sectors_written",
                                                         "time_writing_ms",
                                                         "ios_in_progress",
                                                         "time_doing_ios_ms",
                                                         "weighted_time_doing_ios_ms",
                                                         "discards_completed",
                                                         "discards_merged",
                                                         "sectors_discarded",
                                                         "time_discarding_ms",
                                                         "flush_requests_completed",
                                                         "time_flushing_ms"};
  return kNames;
}

const std::array<const char*, 16>& network_counter_names() {
  static constexpr std::array<const char*, 16> kNames = {"rx_bytes", "rx_packets",    "rx_errors",     "rx_dropped",
                                                         "rx_fifo",  "rx_frame",      "rx_compressed", "rx_multicast",
                                                         "tx_bytes", "tx_packets",    "tx_errors",     "tx_dropped",
                                                         "tx_fifo",  "tx_collisions", "tx_carrier",    "tx_compressed"};
  return kNames;
}

uint64_t host_memory_bytes() {
  HostFacts facts;
  read_memory(text_of(HostPaths().proc + "/meminfo", facts), facts);
  return facts.memory.total;
}

HostFacts collect_host_facts(const HostPaths& paths) {
  HostFacts facts;
  facts.hostname = host_name();
  facts.collected_wall_us = Stamp::now().wall_us;
  read_memory(text_of(paths.proc + "/meminfo", facts), facts);
  read_cpus(text_of(paths.proc + "/cpuinfo", facts), facts);
  facts.disks = parse_disks(text_of(paths.proc + "/diskstats", facts));
  facts.network = parse_network(text_of(paths.proc + "/net/dev", facts));
  read_load(text_of(paths.proc + "/loadavg", facts), facts);
  read_os_release(text_of(paths.os_release, facts), facts);
  facts.kernel_version = trimmed(text_of(paths.proc + "/version", facts));
  facts.uptime_s = number_or_zero<double>(trimmed(text_of(paths.proc + "/uptime", facts)));
  utsname names{};
  if (uname(&names) == 0) facts.cpu.architecture = names.machine;
  return facts;
}

std::string host_name() {
  utsname names{};
  return uname(&names) == 0 ? std::string(names.nodename) : std::string("localhost");
}

}  // namespace mlps::world
