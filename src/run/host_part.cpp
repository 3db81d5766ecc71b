#include "run/host_part.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "world/host_facts.hpp"

namespace mlps::run {

HostPart describe_host(const world::World& world) {
  HostPart part;
  part.host = world::host_name();
  part.pid = ::getpid();
  part.process = world.host();
  part.first_rank = world.first_rank();
  part.ranks = world.local_ranks();
  return part;
}

Stamp shifted(const Stamp& stamp, const world::ClockOffset& clock) {
  return {stamp.monotonic_ns - clock.monotonic_ns, stamp.wall_us - clock.wall_ns / 1000};
}

double seconds_after(const Stamp& origin, const Stamp& own_start, double seconds, const world::ClockOffset& clock) {
  return seconds + to_seconds(shifted(own_start, clock).monotonic_ns - origin.monotonic_ns);
}

void place(HostPart& part, const world::Member& member, const Stamp& origin, const Stamp& own_start) {
  part.host = member.host;
  part.pid = member.pid;
  part.clock = member.clock;
  part.started_s = seconds_after(origin, own_start, 0, member.clock);
  if (part.first_byte_s != 0) part.first_byte_s = seconds_after(origin, own_start, part.first_byte_s, member.clock);
}

std::string process_name(const std::vector<world::Member>& members, uint32_t process) {
  const std::string& host = members[process].host;
  const auto namesakes =
      std::count_if(members.begin(), members.end(), [&](const world::Member& other) { return other.host == host; });
  return namesakes == 1 ? "host " + host : fmt::format("host {} (process {})", host, process);
}

void note_missing_parts(std::vector<std::string>& reasons, const world::Transport& transport) {
  if (transport.size() == 1) return;
  std::string names;
  for (uint32_t process = 0; process < transport.size(); ++process) {
    if (process == transport.index()) continue;
    names += (names.empty() ? "" : ", ") + process_name(transport.members(), process);
  }
  reasons.push_back(fmt::format("the {} of {} {} not in this record", transport.size() == 2 ? "part" : "parts", names,
                                transport.size() == 2 ? "is" : "are"));
}

}  // namespace mlps::run
