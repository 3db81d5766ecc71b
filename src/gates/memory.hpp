#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gates/gates.hpp"

namespace mlps::gates {

/// Returns MemAvailable in bytes out of the text of /proc/meminfo; nothing if it is missing or not a number of kB.
std::optional<uint64_t> parse_mem_available(std::string_view meminfo);

/// Returns an error if the I/O buffers exceed the budget (--io-memory).
std::optional<Error> budget_error(const Request& request);

/// Memory demand of all processes on one host.
struct HostMemory {
  uint64_t buffer_bytes = 0;  ///< sum over the processes
  uint32_t processes = 1;
  std::optional<uint64_t> available_bytes;
};

/// Returns an error if the buffers and 64 MiB for each process exceed the available memory; no error if available
/// memory is unknown.
std::optional<Error> memory_error(const HostMemory& memory);

/// Returns MemAvailable of this host in bytes; nothing if /proc/meminfo doesn't have it.
std::optional<uint64_t> read_mem_available();

}  // namespace mlps::gates
