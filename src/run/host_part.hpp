#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/fields.hpp"
#include "world/archive.hpp"
#include "world/transport.hpp"
#include "world/world.hpp"

/// What the records of all benchmarks share where a run has several processes.
namespace mlps::run {

/// What one process of the job did. Seconds count from the start of the invocation of process 0, on its clock.
struct HostPart {
  std::string host;
  int64_t pid = 0;
  uint32_t process = 0;
  uint32_t first_rank = 0, ranks = 0;
  uint32_t workers = 0;  ///< I/O threads
  world::ClockOffset clock;
  double started_s = 0;     ///< this process's own start
  double first_byte_s = 0;  ///< 0: it moved none
  uint64_t peak_rss_bytes = 0;
  double cpu_user_s = 0, cpu_system_s = 0;  ///< while the benchmark ran
  uint64_t bytes_read = 0, bytes_written = 0;
  uint64_t retries = 0, retried_bytes = 0;
};

/// The first six are published with the process they are of, not with what it did.
constexpr auto fields_of(Of<HostPart>) {
  return std::tuple(kept("", &HostPart::host), kept("", &HostPart::pid), kept("", &HostPart::process),
                    kept("", &HostPart::first_rank), kept("", &HostPart::ranks), kept("", &HostPart::clock),
                    kept("started_s", &HostPart::started_s), kept("first_byte_s", &HostPart::first_byte_s),
                    kept("bytes_read", &HostPart::bytes_read), kept("bytes_written", &HostPart::bytes_written),
                    kept("retries", &HostPart::retries), kept("retried_bytes", &HostPart::retried_bytes),
                    kept("workers", &HostPart::workers), kept("cpu_user_s", &HostPart::cpu_user_s),
                    kept("cpu_system_s", &HostPart::cpu_system_s), kept("peak_rss_bytes", &HostPart::peak_rss_bytes));
}
static_assert(lists_every_member<HostPart>());

/// Who this process is; the numbers are left at 0, the clock as if it were process 0's.
HostPart describe_host(const world::World& world);

/// A moment of another process on process 0's clocks.
Stamp shifted(const Stamp& stamp, const world::ClockOffset& clock);

/// Where the seconds of a process, counted from the start of its own invocation, lie after `origin`, the start of
/// process 0's.
double seconds_after(const Stamp& origin, const Stamp& own_start, double seconds, const world::ClockOffset& clock);

/// Puts what came from process `process` as its part in its place: name, pid and clock as the job knows them, and
/// seconds on process 0's clock. `own_start` is the start of that process's invocation, `origin` of process 0's.
void place(HostPart& part, const world::Member& member, const Stamp& origin, const Stamp& own_start);

/// "host b", or "host b (process 2)" where several processes run on that host.
std::string process_name(const std::vector<world::Member>& members, uint32_t process);

/// For a record that stays the share of this process: a reason that says whose parts are not in it. Nothing on one
/// host.
void note_missing_parts(std::vector<std::string>& reasons, const world::Transport& transport);

}  // namespace mlps::run
