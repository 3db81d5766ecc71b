#include "base/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/numbers.hpp"
#include "base/text.hpp"

namespace mlps {

std::string grouped(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t from_right = 3; from_right < digits.size(); from_right += 4) {
    digits.insert(digits.size() - from_right, 1, ',');
  }
  return digits;
}

std::string human_bytes(uint64_t bytes) {
  constexpr std::array<const char*, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024.0 && unit + 1 < kUnits.size()) {
    value /= 1024.0;
    ++unit;
  }
  return fmt::format("{} {}", figure(value), kUnits[unit]);
}

Result<uint64_t> parse_size(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorCode::kConfigInvalid, fmt::format("'{}' is not a size", text), {},
                "give bytes or a number with K, M, G, T, KiB, MiB, GiB, TiB (binary) or KB, MB, GB, TB (decimal), "
                "for example 16MiB");
  };
  double number = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, status] = std::from_chars(text.data(), text_end, number);
  if (status != std::errc{} || !std::isfinite(number) || number < 0) return refuse();
  const std::string suffix = lower({end, static_cast<size_t>(text_end - end)});
  const size_t power = suffix.empty() ? 0 : std::string_view("bkmgtp").find(suffix.front());
  const std::string rest = suffix.empty() ? suffix : suffix.substr(1);
  const bool is_decimal = rest == "b";
  const bool is_known = rest.empty() || (power > 0 && (is_decimal || rest == "ib"));
  if (power == std::string_view::npos || !is_known) return refuse();
  const double bytes = std::floor(number * std::pow(is_decimal ? 1e3 : 1024.0, static_cast<double>(power)));
  if (bytes >= 0x1p63) return refuse();
  return static_cast<uint64_t>(bytes);
}

std::string human_seconds(double seconds) {
  return time_text(seconds * 1e9);
}

}  // namespace mlps
