#include "gates/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/control_group.hpp"
#include "base/units.hpp"
#include "world/host_facts.hpp"

namespace mlps::gates {
namespace {

// Memory of a process besides its I/O buffers.
constexpr uint64_t kReserve = 64 * kMiB;

}  // namespace

void look_at_memory(HostMemory& memory) {
  memory.available_bytes = world::memory_of_host().available;
  memory.available_by = "MemAvailable of /proc/meminfo";
  const auto limit = memory_limit();
  if (!limit || limit->room_bytes() >= memory.available_bytes.value_or(UINT64_MAX)) return;
  memory.available_bytes = limit->room_bytes();
  memory.available_by = fmt::format("limit of {} - {} in use, of control group {}", human_bytes(limit->limit_bytes),
                                    human_bytes(limit->used_bytes), limit->folder);
}

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
      memory.available_by, "end other programs, or lower --io-workers, --io-depth or --io-part-size"};
}

}  // namespace mlps::gates
