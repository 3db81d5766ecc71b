#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/fields.hpp"
#include "base/stall_meter.hpp"

namespace mlps::world {

/// Holds what the kernel counts of processor time that this process wanted and did not get. Totals, or what two of them
/// differ by; nothing where this host doesn't tell.
struct CpuPressure {
  std::optional<uint64_t> throttled_periods;  ///< of the control groups' quotas (cpu.stat), own and enclosing
  std::optional<Nanos> throttled_ns;          ///< summed over processors
  std::optional<Nanos> steal_ns;              ///< /proc/stat: taken by the hypervisor, all processors of the host
  std::optional<Nanos> stalled_ns;            ///< /proc/pressure/cpu: some task of the host waited for a processor
  std::optional<Nanos> threads_ns;            ///< schedstat: the threads of this process waited for a processor, summed

  CpuPressure since(const CpuPressure& before) const;
};
constexpr auto fields_of(Of<CpuPressure>) {
  using P = CpuPressure;
  return std::tuple(summed("throttled_periods", &P::throttled_periods), summed("throttled_ns", &P::throttled_ns),
                    summed("steal_ns", &P::steal_ns), summed("pressure_some_ns", &P::stalled_ns),
                    summed("threads_delayed_ns", &P::threads_ns));
}
static_assert(lists_every_member<CpuPressure>());

/// The quota counters of the control groups that this process is in when the object is made. Cheap enough to be read
/// around every checkpoint: a read of a small file for each group.
class QuotaCounters {
 public:
  /// `root` stands before every path, for tests.
  explicit QuotaCounters(const std::string& root = {});
  /// Returns the totals of throttling; nothing for all else.
  CpuPressure read() const;

 private:
  std::vector<Descriptor> files_;  // cpu.stat of each group, kept open: the kernel renews its text for each read
};

/// Reads the totals: a few small files, and one for each thread of this process but the calling one. `root` stands
/// before every path, for tests.
CpuPressure cpu_pressure(const std::string& root = {});

/// Measures how long this process could not run at all since a moment: it was stopped, or over the quota of a control
/// group, whose time counts for every processor. The storage waited for it, whatever was in flight.
class StoppedTime {
 public:
  /// Begins now; both must outlive this.
  StoppedTime(const StallMeter& stalls, const QuotaCounters& quota);
  /// Returns the time until now.
  Nanos ns() const;

 private:
  const StallMeter* stalls_;
  const QuotaCounters* quota_;
  Nanos stopped_before_;
  CpuPressure before_;
};

/// Returns the folders of the control groups that may limit this process's processor time, innermost first, version 1
/// and 2, from the texts of /proc/self/cgroup and /proc/self/mountinfo.
std::vector<std::string> cpu_group_folders(std::string_view groups, std::string_view mounts);
/// Adds the quota counters of a cpu.stat of either version; a group without a quota has none.
void add_throttling(std::string_view cpu_stat, CpuPressure& pressure);

}  // namespace mlps::world
