#include "world/host_facts.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "base/clock.hpp"

namespace mlps::world {
namespace {

constexpr uint64_t kBytesPerKb = 1024;  // the kernel's "kB" are KiB
constexpr size_t kNetworkHeaderLines = 2;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t";
  for (size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(kBlank, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlank, end);
  }
  return words;
}

template <class Number>
Number number_or_zero(std::string_view text) {
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} ? value : Number{};
}

std::optional<std::pair<std::string, std::string>> pair_of(std::string_view line, char separator) {
  const size_t at = line.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair{std::string(trimmed(line.substr(0, at))), std::string(trimmed(line.substr(at + 1)))};
}

std::string value_of(const TextPairs& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [name](const auto& pair) { return pair.first == name; });
  return found == pairs.end() ? std::string() : found->second;
}

// Reads a whole file, or notes that it can't be read.
std::string text_of(const std::string& path, HostFacts& facts) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) facts.unreadable.push_back(path);
  return std::move(text).str();
}

void read_memory(std::string_view text, HostFacts& facts) {
  for (const std::string_view line : lines_of(text)) {
    if (auto pair = pair_of(line, ':')) facts.meminfo.push_back(std::move(*pair));
  }
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

void read_disks(std::string_view text, HostFacts& facts) {
  constexpr size_t kFirstCounter = 3;  // after major, minor and name
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() <= kFirstCounter) continue;
    DiskFacts disk{std::string(words[2]), {}};
    const size_t count = std::min(words.size() - kFirstCounter, disk.counters.size());
    for (size_t i = 0; i < count; ++i) disk.counters[i] = number_or_zero<uint64_t>(words[kFirstCounter + i]);
    facts.disks.push_back(std::move(disk));
  }
}

void read_network(std::string_view text, HostFacts& facts) {
  const std::vector<std::string_view> lines = lines_of(text);
  for (size_t at = kNetworkHeaderLines; at < lines.size(); ++at) {
    const auto pair = pair_of(lines[at], ':');
    if (!pair) continue;
    NetworkFacts network{pair->first, {}};
    const std::vector<std::string_view> words = words_of(pair->second);
    const size_t count = std::min(words.size(), network.counters.size());
    for (size_t i = 0; i < count; ++i) network.counters[i] = number_or_zero<uint64_t>(words[i]);
    facts.network.push_back(std::move(network));
  }
}

// "0.20 0.18 0.12 1/80 11206"
void read_load(std::string_view text, HostFacts& facts) {
  const std::vector<std::string_view> words = words_of(trimmed(text));
  if (words.size() < 4) return;
  facts.load_1min = number_or_zero<double>(words[0]);
  facts.load_5min = number_or_zero<double>(words[1]);
  facts.load_15min = number_or_zero<double>(words[2]);
  const size_t slash = words[3].find('/');
  facts.running_processes = number_or_zero<uint64_t>(words[3].substr(0, slash));
  if (slash != std::string_view::npos) facts.total_processes = number_or_zero<uint64_t>(words[3].substr(slash + 1));
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

HostFacts collect_host_facts(const HostPaths& paths) {
  HostFacts facts;
  facts.hostname = host_name();
  facts.collected_wall_us = Stamp::now().wall_us;
  read_memory(text_of(paths.proc + "/meminfo", facts), facts);
  read_cpus(text_of(paths.proc + "/cpuinfo", facts), facts);
  read_disks(text_of(paths.proc + "/diskstats", facts), facts);
  read_network(text_of(paths.proc + "/net/dev", facts), facts);
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
