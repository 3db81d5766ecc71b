#pragma once

#include <cstddef>

namespace mlps::storage::testing {

/// How often this executable has called operator new so far.
size_t allocations();

}  // namespace mlps::storage::testing
