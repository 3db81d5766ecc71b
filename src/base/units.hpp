#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mlps {

inline constexpr uint64_t kKiB = uint64_t{1} << 10;
inline constexpr uint64_t kMiB = uint64_t{1} << 20;
inline constexpr uint64_t kGiB = uint64_t{1} << 30;

inline double to_gib(uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(kGiB);
}

/// Returns "5,682,508,791,808".
std::string grouped(uint64_t value);

/// Returns "104.70 GiB", "16.00 MiB", "512 B": binary units, two decimals.
std::string human_bytes(uint64_t bytes);

/// Parses a size as users type it: "16MiB", "16M", "16777216", "1.5GiB". Without suffix it is bytes; K/M/G/T/P and
/// KiB/MiB/GiB/TiB/PiB are binary, KB/MB/GB/TB decimal. Fails with E102, which names the text and the legal forms.
Result<uint64_t> parse_size(std::string_view text);

/// Returns "1 h 02 m", "3 m 20 s", "12.3 s", "4.1 ms".
std::string human_seconds(double seconds);

}  // namespace mlps
