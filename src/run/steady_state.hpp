#pragma once

#include <cstddef>
#include <span>

namespace mlps::run {

/// How many of the last values of a run decide whether it is steady, and how much they may differ: those of the SNIA
/// Solid State Storage Performance Test Specification, for its rounds.
inline constexpr size_t kSteadyValues = 5;
inline constexpr double kSteadyRange = 0.20;  ///< between the greatest and the least value, of their mean
inline constexpr double kSteadySlope = 0.10;  ///< of the line that fits them best, over all of them, of their mean

/// Returns whether the last kSteadyValues values (rates, one for each epoch) lie near one another and neither rise nor
/// fall. False while there are fewer, and if their mean is not above 0.
bool is_steady(std::span<const double> values);

}  // namespace mlps::run
