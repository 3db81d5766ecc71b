#include "gates/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "base/text.hpp"
#include "base/units.hpp"
#include "world/proc_text.hpp"

namespace mlps::gates {
namespace {

// Memory of a process besides its I/O buffers.
constexpr uint64_t kReserve = 64 * kMiB;
constexpr const char* kLessMemory = "lower --io-workers, --io-depth or --io-part-size";

}  // namespace

std::optional<uint64_t> parse_mem_available(std::string_view meminfo) {
  constexpr std::string_view kUnit = " kB";
  for (const auto& [name, value] : world::parse_pairs(meminfo)) {
    if (name != "MemAvailable") continue;
    if (!value.ends_with(kUnit)) return std::nullopt;
    const auto kib = parse_number<uint64_t>(std::string_view(value).substr(0, value.size() - kUnit.size()));
    if (!kib || *kib > std::numeric_limits<uint64_t>::max() / kKiB) return std::nullopt;
    return *kib * kKiB;
  }
  return std::nullopt;
}

std::optional<uint64_t> read_mem_available() {
  std::ifstream file("/proc/meminfo");
  return parse_mem_available(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::optional<Error> budget_error(const Request& request) {
  if (request.buffer_bytes <= request.budget_bytes) return std::nullopt;
  return Error{ErrorCode::kConfigInvalid,
               fmt::format("I/O buffers of {} exceed the budget of {} (--io-memory)", human_bytes(request.buffer_bytes),
                           human_bytes(request.budget_bytes)),
               {},
               fmt::format("raise --io-memory, or {}", kLessMemory)};
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
      "MemAvailable of /proc/meminfo", fmt::format("end other programs, or {}", kLessMemory)};
}

}  // namespace mlps::gates
