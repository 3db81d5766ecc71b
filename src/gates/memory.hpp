#pragma once

#include <cstdint>
#include <optional>

#include "base/error.hpp"

namespace mlps::gates {

/// Memory demand of all processes on one host.
struct HostMemory {
  uint64_t buffer_bytes = 0;  ///< sum over the processes
  uint32_t processes = 1;
  std::optional<uint64_t> available_bytes;
};

/// Returns an error if the buffers and 64 MiB for each process exceed the available memory; no error if available
/// memory is unknown.
std::optional<Error> memory_error(const HostMemory& memory);

}  // namespace mlps::gates
