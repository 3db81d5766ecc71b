#include "run/early_end.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mlps::run {

std::string_view ended_by_name(EndedBy ended_by) {
  return ended_by == EndedBy::kTime ? "time" : ended_by == EndedBy::kStable ? "stable" : "plan";
}

bool is_steady(std::span<const double> values) {
  if (values.size() < kSteadyValues) return false;
  const auto last = values.last(kSteadyValues);
  const auto count = static_cast<double>(kSteadyValues);
  const double mean = std::accumulate(last.begin(), last.end(), 0.0) / count;
  if (!(mean > 0)) return false;
  const auto [least, most] = std::minmax_element(last.begin(), last.end());
  const double middle = (count - 1) / 2;
  double rise = 0, run = 0;  // least squares
  for (size_t i = 0; i < kSteadyValues; ++i) {
    const double x = static_cast<double>(i) - middle;
    rise += x * (last[i] - mean);
    run += x * x;
  }
  const double excursion = std::abs(rise / run * (count - 1));
  return *most - *least <= kSteadyRange * mean && excursion <= kSteadySlope * mean;
}

EndedBy EarlyEnd::judge(std::span<const double> rates, double seconds) const {
  if (until_stable && is_steady(rates)) return EndedBy::kStable;
  return time_s && seconds >= *time_s ? EndedBy::kTime : EndedBy::kPlan;
}

}  // namespace mlps::run
