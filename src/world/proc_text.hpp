#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "world/host_facts.hpp"

/// Parsers of files in /proc. Pure functions that accept any text: a line that can't be parsed is left out, a number
/// that can't be parsed is 0, and fields that only newer kernels have are ignored.
namespace mlps::world {

/// The sector of /proc/diskstats and of /sys/block, whatever the sectors of the device are.
inline constexpr uint64_t kSectorBytes = 512;

std::vector<std::string_view> lines_of(std::string_view text);
/// Returns the pieces between blanks and tabs.
std::vector<std::string_view> words_of(std::string_view text);

/// Returns the number that `text` begins with, or 0.
template <class Number>
Number number_or_zero(std::string_view text) {
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} ? value : Number{};
}

/// Returns both sides of the first `separator`, trimmed; nothing if there is none.
std::optional<std::pair<std::string, std::string>> pair_of(std::string_view line, char separator);

/// Parses lines "Name: value", as in /proc/meminfo.
TextPairs parse_pairs(std::string_view text);

/// Parses /proc/diskstats; kernels have 11, 15 or 17 counters.
std::vector<DiskFacts> parse_disks(std::string_view text);

/// Parses /proc/net/dev, whose first two lines are a heading.
std::vector<NetworkFacts> parse_network(std::string_view text);

struct LoadFacts {
  double load_1min = 0, load_5min = 0, load_15min = 0;
  uint64_t running_processes = 0, total_processes = 0;
};
/// Parses "0.20 0.18 0.12 1/80 11206"; returns nothing if it has fewer words.
std::optional<LoadFacts> parse_load(std::string_view text);

/// Returns a whole file of less than `most_bytes`; a larger one is an error. Files of /proc don't tell their size.
Result<std::string> read_text(const std::string& path, size_t most_bytes = 8 << 20);

}  // namespace mlps::world
