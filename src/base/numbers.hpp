#pragma once

#include <string>
#include <string_view>

/// Numbers for people: grouped, of three or four digits where they are not whole. Any number may come; "-" is what is
/// none.
namespace mlps {

std::string figure(double value);   ///< "41.2", "1,234"
std::string percent(double value);  ///< of 100: "87.41 %", "90 %", "<0.01 %"
/// Returns a percentage with as many digits as tell it from a limit that it misses: "89.9981 %" of 90.
std::string percent_to(double value, double limit);
std::string bytes_text(double bytes);       ///< "16 MiB", "104.7 GiB"
std::string rate_text(double bytes_per_s);  ///< "47.2 GiB/s"
std::string time_text(double nanoseconds);  ///< "0 s", "212 ms", "1.94 s", "10 m 00 s", "1 h 02 m"

/// Returns a percentage with one decimal whatever its size, for figures side by side, and for those that change on a
/// screen and must not jump: "87.4 %".
std::string tenths(double percent);

/// Returns "1 file" or "5 files"; with `many`, "1 retry" or "5 retries".
std::string counted(double count, std::string_view one);
std::string counted(double count, std::string_view one, std::string_view many);

}  // namespace mlps
