#pragma once

#include <string>
#include <vector>

#include "results/run_hosts.hpp"

namespace mlps::results {

/// `host_consistency_issues` of mlpstorage 3.0, a sentence each: memory that differs by more than 10 % of
/// the least, and differing numbers of cores, systems and kernels. Empty where the hosts are alike.
std::vector<std::string> consistency_issues(const std::vector<HostView>& hosts);

}  // namespace mlps::results
