#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/fields.hpp"
#include "storage/server_use.hpp"
#include "world/archive.hpp"
#include "world/transport.hpp"
#include "world/world.hpp"

/// The entry of one process in the records of all benchmarks, and its place among the processes of a job.
namespace mlps::run {

/// Describes what one process of the job did. Seconds count from the start of the invocation of process 0, on its
/// clock.
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
  std::vector<storage::ServerUse> servers;  ///< empty where there are none
};

/// The first six are published with the process they are of, not with what it did.
constexpr auto fields_of(Of<HostPart>) {
  return std::tuple(kept("", &HostPart::host), kept("", &HostPart::pid), kept("", &HostPart::process),
                    kept("", &HostPart::first_rank), kept("", &HostPart::ranks), kept("", &HostPart::clock),
                    kept("started_s", &HostPart::started_s), kept("first_byte_s", &HostPart::first_byte_s),
                    kept("bytes_read", &HostPart::bytes_read), kept("bytes_written", &HostPart::bytes_written),
                    kept("retries", &HostPart::retries), kept("retried_bytes", &HostPart::retried_bytes),
                    kept("workers", &HostPart::workers), kept("cpu_user_s", &HostPart::cpu_user_s),
                    kept("cpu_system_s", &HostPart::cpu_system_s), kept("peak_rss_bytes", &HostPart::peak_rss_bytes),
                    kept("servers", &HostPart::servers));
}
static_assert(lists_every_member<HostPart>());

/// Returns the entry of this process with its identity; numbers are 0, and the clock is as of process 0.
HostPart describe_host(const world::World& world);

/// Returns a moment of another process on process 0's clocks.
Stamp shifted(const Stamp& stamp, const world::ClockOffset& clock);

/// Converts seconds after `own_start`, the start of the invocation of a process, into seconds after `origin`, the start
/// of that of process 0.
double seconds_after(const Stamp& origin, const Stamp& own_start, double seconds, const world::ClockOffset& clock);

/// Sets name, pid and clock of an entry as the job knows them, and moves its seconds onto process 0's clock.
/// `own_start` is the start of the invocation of that process, `origin` of that of process 0.
void place(HostPart& part, const world::Member& member, const Stamp& origin, const Stamp& own_start);

/// Returns "host b", or "host b (process 2)" where several processes run on that host.
std::string process_name(const std::vector<world::Member>& members, uint32_t process);

/// Adds a reason that names the processes missing in a record that stays the share of this process. Adds nothing where
/// there is one process.
void note_missing_parts(std::vector<std::string>& reasons, const world::Transport& transport);

}  // namespace mlps::run
