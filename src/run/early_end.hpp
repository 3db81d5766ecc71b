#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

/// Runs that end before their plan.
namespace mlps::run {

/// What let a run have no further epoch or checkpoint.
enum class EndedBy {
  kPlan,    ///< there were as many as planned, or it failed
  kTime,    ///< --time was over
  kStable,  ///< --until-stable: the rates of the last ones were steady
};
std::string_view ended_by_name(EndedBy ended_by);  ///< "plan", "time", "stable"

/// How many of the last values of a run decide whether it is steady, and how much they may differ: those of the SNIA
/// Solid State Storage Performance Test Specification, for its rounds.
inline constexpr size_t kSteadyValues = 5;
inline constexpr double kSteadyRange = 0.20;  ///< between the greatest and the least value, of their mean
inline constexpr double kSteadySlope = 0.10;  ///< of the line that fits them best, over all of them, of their mean

/// Returns whether the last kSteadyValues values (rates, one for each epoch or checkpoint) lie near one another and
/// neither rise nor fall. False while there are fewer, and if their mean is not above 0.
bool is_steady(std::span<const double> values);

/// Says when a run is to end before its plan.
struct EarlyEnd {
  std::optional<double> time_s;  ///< --time
  bool until_stable = false;     ///< --until-stable

  bool is_wanted() const { return time_s || until_stable; }
  /// Returns why nothing further is to begin after so many seconds and these rates; kPlan: something is.
  EndedBy judge(std::span<const double> rates, double seconds) const;
};

}  // namespace mlps::run
