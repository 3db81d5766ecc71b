#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "world/host_facts.hpp"
#include "world/proc_text.hpp"

/// Samples of this host's counters, taken as often as once a second for hours; a time series consists of them.
namespace mlps::world {

/// Counters with names. The names hardly ever change, so samples with the same names share them.
struct NamedCounters {
  std::shared_ptr<const std::vector<std::string>> names;  ///< never nullptr once parsed
  std::vector<uint64_t> values;                           ///< as many
};

/// The first line of /proc/stat: the time of all processors together, in ticks of 1/ticks_per_second().
struct CpuCounters {
  std::array<uint64_t, 10> ticks{};  ///< in the order of cpu_counter_names()
};
const std::array<const char*, 10>& cpu_counter_names();
uint64_t ticks_per_second();

/// Usage of this process.
struct ProcessCounters {
  double cpu_user_s = 0, cpu_system_s = 0;
  uint64_t rss_bytes = 0;
};

struct HostSample {
  Stamp at;
  std::vector<DiskFacts> disks;
  std::vector<NetworkFacts> network;
  NamedCounters vmstat;
  NamedCounters meminfo;  ///< in kB, where the kernel says kB
  std::optional<LoadFacts> load;
  std::optional<CpuCounters> cpu;
  ProcessCounters process;
  TextPairs errors;  ///< (member, why it is missing): ("vmstat", "open /proc/vmstat: ...")

  uint64_t memory_bytes() const;  ///< of this sample, about; without shared names
};

/// Parses lines "name 12" or "name: 12 kB". Lines without a number are left out.
NamedCounters parse_counters(std::string_view text);
/// Returns nothing without a line "cpu ..." of at least four numbers.
std::optional<CpuCounters> parse_cpu(std::string_view stat);
/// Returns the resident bytes of /proc/self/statm; nothing if it has fewer than two words.
std::optional<uint64_t> parse_resident_bytes(std::string_view statm, uint64_t page_bytes);

/// Takes samples, and keeps the names for the next one. Used by one thread at a time.
class HostCounters {
 public:
  explicit HostCounters(std::string proc = "/proc") : proc_(std::move(proc)) {}

  /// Reads seven small files: some tens of microseconds. Never fails: see HostSample::errors.
  HostSample sample();

 private:
  std::optional<std::string> text_of(const char* file, const char* member, HostSample& sample) const;
  static void share_names(NamedCounters& counters, std::shared_ptr<const std::vector<std::string>>& known);

  std::string proc_;
  std::shared_ptr<const std::vector<std::string>> vmstat_names_, meminfo_names_;
};

}  // namespace mlps::world
