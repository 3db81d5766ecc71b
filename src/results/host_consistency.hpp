#pragma once

#include <string>
#include <vector>

#include "results/run_hosts.hpp"

namespace mlps::results {

/// `host_consistency_issues` (spec/results.md section 2.8), a sentence each: memory that differs by more than 10 % of
/// the least, and differing numbers of cores, systems and kernels. Empty where the hosts are alike.
std::vector<std::string> consistency_issues(const std::vector<HostView>& hosts);

}  // namespace mlps::results
