#pragma once

#include <cstddef>

namespace mlps::storage::test {

/// How often this executable has called operator new so far.
size_t allocations();

}  // namespace mlps::storage::test
