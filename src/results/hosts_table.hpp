#pragma once

#include <string>
#include <vector>

#include "run/host_part.hpp"

namespace mlps::results {

/// A row per process of a run on several: its ranks, what it moved and what that cost it, and how far its wall clock is
/// ahead of process 0's. Nothing where there is one process.
std::string hosts_table(const std::vector<run::HostPart>& parts);

}  // namespace mlps::results
