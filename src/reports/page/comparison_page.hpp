#pragma once

#include <string>

#include "reports/compare.hpp"

namespace mlps::reports::page {

/// Returns the page on two runs, or two sets of runs: by how much B differs from A with intervals, every value of both
/// sides, latencies against one another, and what differs in settings, hosts and builds. Like every page it needs
/// nothing else, and has at most kMostPageBytes.
std::string page_of(const Comparison& comparison);

}  // namespace mlps::reports::page
