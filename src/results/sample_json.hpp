#pragma once

#include <cstdint>
#include <string>

#include "results/json_text.hpp"
#include "world/host_counters.hpp"

namespace mlps::results {

/// One entry of `samples_by_host` of a time series, taken at `wall_us` by process 0's
/// clock; what could not be read is left out and stands in its `errors`.
Json sample_json(const std::string& hostname, const world::HostSample& sample, int64_t wall_us);

}  // namespace mlps::results
