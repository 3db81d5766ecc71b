#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace mlps::gates {

/// Memory demand of all processes on one host.
struct HostMemory {
  uint64_t buffer_bytes = 0;  ///< sum over the processes
  uint32_t processes = 1;
  std::optional<uint64_t> available_bytes;
  std::string available_by =
      {};  ///< who says so: "MemAvailable of /proc/meminfo", or the arithmetic of a control group
};

/// Sets what is available to this process: MemAvailable, or less where a control group limits it.
void look_at_memory(HostMemory& memory);

/// Returns an error if the buffers and 64 MiB for each process exceed the available memory; no error if available
/// memory is unknown.
std::optional<Error> memory_error(const HostMemory& memory);

}  // namespace mlps::gates
