#pragma once

#include <string>
#include <vector>

#include "world/transport.hpp"

namespace mlps::gates {

/// The different hosts of a job's processes, in order.
std::vector<std::string> distinct_hosts(const std::vector<world::Member>& members);

/// What is odd about a job and makes its results harder to trust or slower: wall clocks more than a second apart, and
/// several processes on one host.
std::vector<std::string> job_warnings(const std::vector<world::Member>& members);

}  // namespace mlps::gates
