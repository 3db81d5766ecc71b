#include "gates/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace mlps::gates {
namespace {

// Memory of a process besides its I/O buffers.
constexpr uint64_t kReserve = 64 * kMiB;

}  // namespace

std::optional<Error> memory_error(const HostMemory& memory) {
  if (!memory.available_bytes) return std::nullopt;
  const uint64_t reserve = memory.processes * kReserve;
  const uint64_t spare = *memory.available_bytes - std::min(*memory.available_bytes, reserve);
  if (memory.buffer_bytes <= spare) return std::nullopt;
  const bool one = memory.processes == 1;
  return Error{
      ErrorCode::kConfigInvalid,
      fmt::format("I/O buffers of {} and {} for the program{} exceed the memory that is available, {}",
                  human_bytes(memory.buffer_bytes), human_bytes(reserve),
                  one ? "" : fmt::format(" in {} processes", memory.processes), human_bytes(*memory.available_bytes)),
      "MemAvailable of /proc/meminfo", "end other programs, or lower --io-workers, --io-depth or --io-part-size"};
}

}  // namespace mlps::gates
