#pragma once

#include <cstddef>
#include <optional>
#include <vector>

/// Whether two samples of few values differ, without an assumption about their distribution.
namespace mlps::reports {

inline constexpr double kSignificance = 0.05;  ///< a smaller probability counts as a difference
inline constexpr double kPower = 0.8;          ///< with which a test of as many values as advised finds it

/// Holds the outcome of a Mann-Whitney U test of two samples, two-sided.
struct RankTest {
  double p = 1;            ///< probability of ranks as far apart or farther, if both are of one distribution
  double superiority = 0;  ///< probability that a value of the second is above one of the first, ties count half
  bool is_exact = true;    ///< by all arrangements of the ranks, ties included; else by the normal approximation
  bool differs() const { return p < kSignificance; }
};

/// Returns the outcome; nothing where a sample is empty. Exact for up to 60 values in all, whatever their ties; beyond
/// that by the normal approximation with the corrections for ties and continuity.
std::optional<RankTest> rank_test(const std::vector<double>& first, const std::vector<double>& second);

/// Returns how many values each sample should have, so that a difference as large as this one is found with kPower, by
/// Noether's formula n = (z_{1-a/2} + z_{power})^2 / (6 (p - 1/2)^2), where p is the superiority; at least the least
/// number with which the test can find any (4). Nothing where the samples show none: no number would do.
std::optional<size_t> values_advised(const RankTest& test);

/// Returns the percentile p (0 to 1) by linear interpolation between neighbours; 0 of no values.
double quantile(std::vector<double> values, double p);

/// Returns an interval that holds the ratio of the medians (second over first) with 95 %: by 2,000 resamplings of both
/// samples (bootstrap, percentiles), with a fixed seed, so that the same runs always give the same. Nothing where a
/// sample has fewer than 3 values, or one of the first is not positive.
struct Interval {
  double low = 0;
  double high = 0;
};
std::optional<Interval> ratio_interval(const std::vector<double>& first, const std::vector<double>& second);

}  // namespace mlps::reports
