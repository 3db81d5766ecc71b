#include "base/numbers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/units.hpp"

namespace mlps {
namespace {

// Returns a number with so many decimals at most.
std::string without_zeros(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (decimals == 0) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

// Returns three digits, without a fraction from 100 on.
std::string three_digits(double value) {
  const double size = std::abs(value);
  return without_zeros(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

std::string scaled(double value, double step, const std::vector<std::string_view>& units) {
  size_t unit = 0;
  while (unit + 1 < units.size() && std::abs(value) >= step) {
    value /= step;
    ++unit;
  }
  if (std::abs(value) >= 1e6) return fmt::format("{:.3g} {}", value, units[unit]);
  return fmt::format("{} {}", three_digits(value), units[unit]);
}

}  // namespace

std::string figure(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::abs(value);
  if (size >= 1e15) return fmt::format("{:.3g}", value);
  if (size >= 1000) return (value < 0 ? "-" : "") + grouped(static_cast<uint64_t>(std::llround(size)));
  return fmt::format("{:.4g}", value);
}

std::string percent(double value) {
  if (!std::isfinite(value)) return "-";
  if (value > 0 && value < 0.01) return "<0.01 %";
  return std::abs(value) >= 1e6 ? fmt::format("{:.3g} %", value) : without_zeros(value, 2) + " %";
}

std::string percent_to(double value, double limit) {
  if (value >= limit || percent(value) != percent(limit)) return percent(value);
  return fmt::format("{:.{}f} %", value, limit - value < 1e-4 ? 8 : 4);
}

std::string bytes_text(double bytes) {
  if (!std::isfinite(bytes)) return "-";
  return scaled(bytes, 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"});
}

std::string rate_text(double bytes_per_s) {
  return std::isfinite(bytes_per_s) ? bytes_text(bytes_per_s) + "/s" : "-";
}

std::string time_text(double nanoseconds) {
  if (!std::isfinite(nanoseconds)) return "-";
  if (nanoseconds < 0) return "-" + time_text(-nanoseconds);
  if (nanoseconds == 0) return "0 s";
  if (nanoseconds < 59.95e9) return scaled(nanoseconds, 1000, {"ns", "us", "ms", "s"});
  if (nanoseconds >= 1e18) return scaled(nanoseconds / 3600e9, 1e9, {"h"});
  const auto whole = static_cast<uint64_t>(std::llround(nanoseconds / 1e9));
  return whole < 3600 ? fmt::format("{} m {:02d} s", whole / 60, whole % 60)
                      : fmt::format("{} h {:02d} m", whole / 3600, whole % 3600 / 60);
}

std::string tenths(double percent) {
  return std::isfinite(percent) ? fmt::format("{:.1f} %", percent) : "-";
}

std::string counted(double count, std::string_view one) {
  return counted(count, one, fmt::format("{}s", one));
}

std::string counted(double count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", figure(count), count == 1 ? one : many);
}

}  // namespace mlps
