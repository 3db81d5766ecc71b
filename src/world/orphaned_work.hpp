#pragma once

#include <cstdint>
#include <vector>

#include "world/transport.hpp"

namespace mlps::world {

/// Returns, after a failure, the indices of the dead processes whose open uploads this process has to abort: all of
/// them in the first process that is left, none in the others and before a failure. Not collective; any thread may
/// call.
std::vector<uint32_t> processes_to_clean_up_for(Transport& transport);

}  // namespace mlps::world
