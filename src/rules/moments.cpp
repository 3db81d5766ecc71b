#include <cstdio>
#include <ctime>
#include <string>

#include "rules/tree.hpp"

namespace mlps::rules {
namespace {

constexpr size_t kRunNameLength = 15;

}  // namespace

bool is_run_name(std::string_view name) {
  if (name.size() != kRunNameLength || name[8] != '_') return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (i != 8 && (name[i] < '0' || name[i] > '9')) return false;
  }
  return true;
}

std::optional<double> parse_moment(std::string_view text, bool* aware) {
  const std::string copy(text.substr(0, 40));
  std::tm parts{};
  double seconds = 0;
  int used = 0;
  const char* const form = is_run_name(text) ? "%4d%2d%2d_%2d%2d%lf%n" : "%4d-%2d-%2d%*1[T ]%2d:%2d:%lf%n";
  if (std::sscanf(copy.c_str(), form, &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
                  &seconds, &used) != 6 ||
      parts.tm_mon < 1 || parts.tm_mon > 12 || !(seconds >= 0 && seconds < 61)) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  double moment = static_cast<double>(::timegm(&parts)) + seconds;
  const std::string_view zone = std::string_view(copy).substr(static_cast<size_t>(used));
  int hours = 0;
  int minutes = 0;
  const bool has_offset = zone.size() == 6 && std::sscanf(zone.data(), "%3d:%2d", &hours, &minutes) == 2;
  if (!zone.empty() && zone != "Z" && !has_offset) return std::nullopt;
  if (has_offset) moment -= hours * 3600.0 + (hours < 0 ? -60.0 : 60.0) * minutes;
  if (aware != nullptr) *aware = !zone.empty();
  return moment;
}

}  // namespace mlps::rules
