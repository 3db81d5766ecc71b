#include "gates/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "base/units.hpp"

namespace mlps::gates {
namespace {

// Memory of a process besides its I/O buffers.
constexpr uint64_t kReserve = 64 * kMiB;
constexpr std::string_view kField = "MemAvailable:";
constexpr const char* kLessMemory = "lower --io-workers, --io-depth or --io-part-size";

}  // namespace

std::optional<uint64_t> parse_mem_available(std::string_view meminfo) {
  for (std::string_view rest = meminfo; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (line.substr(0, kField.size()) != kField) continue;
    const size_t digits = line.find_first_not_of(" \t", kField.size());
    if (digits == std::string_view::npos) return std::nullopt;
    uint64_t kib = 0;
    const auto [after, error] = std::from_chars(line.data() + digits, line.data() + line.size(), kib);
    const std::string_view unit = line.substr(static_cast<size_t>(after - line.data()));
    if (error != std::errc{} || unit != " kB" || kib > std::numeric_limits<uint64_t>::max() / kKiB) return std::nullopt;
    return kib * kKiB;
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
