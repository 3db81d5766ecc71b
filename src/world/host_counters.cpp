#include "world/host_counters.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/process_usage.hpp"

namespace mlps::world {
namespace {

constexpr const char* kNotUnderstood = "not understood";
constexpr size_t kLeastCpuCounters = 4;  // kernels of all ages have user, nice, system and idle

bool is_number(std::string_view word) {
  return !word.empty() && word.front() >= '0' && word.front() <= '9';
}

}  // namespace

const std::array<const char*, 10>& cpu_counter_names() {
  static constexpr std::array<const char*, 10> kNames = {"user", "nice",    "system", "idle",  "iowait",
                                                         "irq",  "softirq", "steal",  "guest", "guest_nice"};
  return kNames;
}

uint64_t ticks_per_second() {
  const long ticks = ::sysconf(_SC_CLK_TCK);
  return ticks > 0 ? static_cast<uint64_t>(ticks) : 100;
}

uint64_t HostSample::memory_bytes() const {
  uint64_t bytes = sizeof(HostSample) + disks.capacity() * sizeof(DiskFacts) +
                   network.capacity() * sizeof(NetworkFacts) +
                   (vmstat.values.capacity() + meminfo.values.capacity()) * sizeof(uint64_t);
  for (const auto& [member, why] : errors) bytes += sizeof(TextPairs::value_type) + member.capacity() + why.capacity();
  return bytes;
}

NamedCounters parse_counters(std::string_view text) {
  auto names = std::make_shared<std::vector<std::string>>();
  NamedCounters counters;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() < 2 || !is_number(words[1])) continue;
    std::string_view name = words[0];
    if (name.ends_with(':')) name.remove_suffix(1);
    names->emplace_back(name);
    counters.values.push_back(number_or_zero<uint64_t>(words[1]));
  }
  counters.names = std::move(names);
  return counters;
}

std::optional<CpuCounters> parse_cpu(std::string_view stat) {
  for (const std::string_view line : lines_of(stat)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.empty() || words[0] != "cpu") continue;
    if (words.size() <= kLeastCpuCounters) return std::nullopt;
    CpuCounters cpu;
    const size_t count = std::min(words.size() - 1, cpu.ticks.size());
    for (size_t i = 0; i < count; ++i) cpu.ticks[i] = number_or_zero<uint64_t>(words[i + 1]);
    return cpu;
  }
  return std::nullopt;
}

std::optional<uint64_t> parse_resident_bytes(std::string_view statm, uint64_t page_bytes) {
  const std::vector<std::string_view> words = words_of(trimmed(statm));
  if (words.size() < 2 || !is_number(words[1])) return std::nullopt;
  return number_or_zero<uint64_t>(words[1]) * page_bytes;
}

std::optional<std::string> HostCounters::text_of(const char* file, const char* member, HostSample& sample) const {
  auto text = read_text(proc_ + file);
  if (text) return std::move(*text);
  sample.errors.emplace_back(member, text.error().message);
  return std::nullopt;
}

void HostCounters::share_names(NamedCounters& counters, std::shared_ptr<const std::vector<std::string>>& known) {
  if (known && *known == *counters.names) {
    counters.names = known;
  } else {
    known = counters.names;
  }
}

HostSample HostCounters::sample() {
  HostSample sample;
  sample.at = Stamp::now();
  if (const auto text = text_of("/diskstats", "diskstats", sample)) sample.disks = parse_disks(*text);
  if (const auto text = text_of("/net/dev", "netdev", sample)) sample.network = parse_network(*text);
  if (const auto text = text_of("/vmstat", "vmstat", sample)) {
    sample.vmstat = parse_counters(*text);
    share_names(sample.vmstat, vmstat_names_);
  }
  if (const auto text = text_of("/meminfo", "meminfo", sample)) {
    sample.meminfo = parse_counters(*text);
    share_names(sample.meminfo, meminfo_names_);
  }
  if (const auto text = text_of("/loadavg", "loadavg", sample)) {
    sample.load = parse_load(*text);
    if (!sample.load) sample.errors.emplace_back("loadavg", kNotUnderstood);
  }
  if (const auto text = text_of("/stat", "cpu", sample)) {
    sample.cpu = parse_cpu(*text);
    if (!sample.cpu) sample.errors.emplace_back("cpu", kNotUnderstood);
  }
  if (const auto text = text_of("/self/statm", "process", sample)) {
    const auto resident = parse_resident_bytes(*text, static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)));
    if (!resident) sample.errors.emplace_back("process", kNotUnderstood);
    sample.process.rss_bytes = resident.value_or(0);
  }
  const CpuTime cpu = CpuTime::of_process();
  sample.process.cpu_user_s = cpu.user_s;
  sample.process.cpu_system_s = cpu.system_s;
  return sample;
}

}  // namespace mlps::world
