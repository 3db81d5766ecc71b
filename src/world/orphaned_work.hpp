#pragma once

#include <cstdint>
#include <vector>

#include "world/transport.hpp"

namespace mlps::world {

/// After a failure: the processes that were given up as dead, by index, told to the first process that is left, which
/// alone is to clear up what they have left behind. Empty in the others, when nobody is gone, and before a failure. No
/// collective; any thread may call.
std::vector<uint32_t> processes_to_clean_up_for(Transport& transport);

}  // namespace mlps::world
