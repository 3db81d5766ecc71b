#include "world/host_facts.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "base/clock.hpp"
#include "base/text.hpp"
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

// Returns a line of /proc/meminfo in bytes; nothing if it is missing or not a number of kB.
std::optional<uint64_t> bytes_of(const TextPairs& meminfo, std::string_view name) {
  constexpr std::string_view kUnit = " kB";
  const std::string value = value_of(meminfo, name);
  if (!value.ends_with(kUnit)) return std::nullopt;
  const auto kib = parse_number<uint64_t>(std::string_view(value).substr(0, value.size() - kUnit.size()));
  if (!kib || *kib > std::numeric_limits<uint64_t>::max() / kBytesPerKb) return std::nullopt;
  return *kib * kBytesPerKb;
}

void read_memory(std::string_view text, HostFacts& facts) {
  facts.meminfo = parse_pairs(text);
  const auto bytes = [&facts](std::string_view name) { return bytes_of(facts.meminfo, name).value_or(0); };
  MemoryFacts& memory = facts.memory;
  memory.total = bytes("MemTotal");
  memory.available = bytes_of(facts.meminfo, "MemAvailable");
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

  std::set<std::string> sockets;
  std::set<std::pair<std::string, std::string>> cores;
  for (const TextPairs& cpu : facts.cpuinfo) {
    sockets.insert(value_of(cpu, "physical id"));
    const std::string core = value_of(cpu, "core id");
    if (!core.empty()) cores.emplace(value_of(cpu, "physical id"), core);
  }
  facts.cpu.sockets = static_cast<uint32_t>(sockets.size());
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

MemoryFacts memory_of_host(const HostPaths& paths) {
  HostFacts facts;
  read_memory(text_of(paths.proc + "/meminfo", facts), facts);
  return facts.memory;
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
  facts.system = collect_system_facts(paths.sys, paths.proc, Environment::of_process());
  utsname names{};
  if (uname(&names) == 0) facts.cpu.architecture = names.machine;
  return facts;
}

std::string host_name() {
  utsname names{};
  return uname(&names) == 0 ? std::string(names.nodename) : std::string("localhost");
}

}  // namespace mlps::world
