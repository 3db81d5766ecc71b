#pragma once

#include <string>
#include <vector>

#include "run/host_part.hpp"

namespace mlps::results {

/// Returns a row per process of a run on several: its ranks, the bytes it moved and their cost, and how far its wall
/// clock is ahead of process 0's. Empty where there is one process.
std::string hosts_table(const std::vector<run::HostPart>& parts);

}  // namespace mlps::results
