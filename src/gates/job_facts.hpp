#pragma once

#include <string>
#include <vector>

#include "world/transport.hpp"

namespace mlps::gates {

/// Returns the host names of the processes, each once, in order of first appearance.
std::vector<std::string> distinct_hosts(const std::vector<world::Member>& members);

/// Returns warnings about the process group as such: wall clocks that differ by more than a second, and several
/// processes on one host.
std::vector<std::string> job_warnings(const std::vector<world::Member>& members);

}  // namespace mlps::gates
