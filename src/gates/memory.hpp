#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gates/gates.hpp"

namespace mlps::gates {

/// MemAvailable, in bytes, out of the text of /proc/meminfo; nothing if it isn't there or isn't a number of kB.
std::optional<uint64_t> parse_mem_available(std::string_view meminfo);

/// The failure of I/O buffers that exceed the budget of --io-memory, or nothing.
std::optional<Error> budget_error(const Request& request);

/// What the processes of one host want of it.
struct HostMemory {
  uint64_t buffer_bytes = 0;  ///< of all of them
  uint32_t processes = 1;
  std::optional<uint64_t> available_bytes;
};

/// The failure of buffers that don't fit the available memory with 64 MiB to spare for each process, or nothing;
/// memory that isn't known fits.
std::optional<Error> memory_error(const HostMemory& memory);

/// MemAvailable of this host.
std::optional<uint64_t> read_mem_available();

}  // namespace mlps::gates
