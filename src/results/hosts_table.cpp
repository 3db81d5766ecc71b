#include "results/hosts_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using run::HostPart;

constexpr double kNanosPerMilli = 1e6;

std::string name_of(const HostPart& part, const std::vector<HostPart>& parts) {
  const bool is_alone =
      std::count_if(parts.begin(), parts.end(), [&](const HostPart& other) { return other.host == part.host; }) == 1;
  return is_alone ? part.host : fmt::format("{} (process {})", part.host, part.process);
}

std::string ranks_of(const HostPart& part) {
  if (part.ranks == 0) return "-";
  if (part.ranks == 1) return std::to_string(part.first_rank);
  return fmt::format("{}-{}", part.first_rank, part.first_rank + part.ranks - 1);
}

std::string clock_of(const HostPart& part) {
  return fmt::format("{:+.3f} +- {:.3f}", static_cast<double>(part.clock.wall_ns) / kNanosPerMilli,
                     static_cast<double>(part.clock.error_ns) / kNanosPerMilli);
}

}  // namespace

std::string hosts_table(const std::vector<HostPart>& parts) {
  if (parts.size() < 2) return {};
  std::vector<std::vector<std::string>> rows = {
      {"host", "ranks", "read", "written", "CPU s", "peak memory", "clock, ms"}};
  for (const HostPart& part : parts) {
    rows.push_back({name_of(part, parts), ranks_of(part), human_bytes(part.bytes_read), human_bytes(part.bytes_written),
                    fmt::format("{:.2f}", part.cpu_user_s + part.cpu_system_s), human_bytes(part.peak_rss_bytes),
                    clock_of(part)});
  }
  return aligned_rows(rows, 2);
}

}  // namespace mlps::results
