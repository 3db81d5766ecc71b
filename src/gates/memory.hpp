#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gates/gates.hpp"

namespace mlps::gates {

/// MemAvailable, in bytes, out of the text of /proc/meminfo; nothing if it isn't there or isn't a number of kB.
std::optional<uint64_t> parse_mem_available(std::string_view meminfo);

/// The memory gate: the I/O buffers fit the budget, and with 64 MiB to spare the memory that is available (nothing:
/// not known, which is a warning).
void check_memory(const Request& request, std::optional<uint64_t> available_bytes, Report& report);

/// MemAvailable of this host.
std::optional<uint64_t> read_mem_available();

}  // namespace mlps::gates
