#include "reports/significance.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>

namespace mlps::reports {
namespace {

constexpr size_t kMostExact = 60;
constexpr double kZSignificance = 1.959964;  // of 1 - 0.05 / 2
constexpr double kZPower = 0.841621;         // of 0.8
constexpr size_t kLeastValues = 4;  // 2 of 70 arrangements of 4 and 4 are below 0.05; with 3 and 3, 2 of 20 aren't
constexpr size_t kResamplings = 2000;

struct Ranked {
  std::vector<uint64_t> doubled;  ///< twice the rank of each value, the first sample's before the second's: whole
  double tie_term = 0;            ///< sum of t^3 - t over groups of equal values
};

Ranked ranks_of(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  Ranked ranked{std::vector<uint64_t>(values.size()), 0};
  for (size_t from = 0; from < order.size();) {
    size_t to = from;
    while (to < order.size() && values[order[to]] == values[order[from]]) ++to;
    // Ranks from + 1 to `to`: twice their mean is their first plus their last.
    for (size_t i = from; i < to; ++i) ranked.doubled[order[i]] = from + 1 + to;
    const auto ties = static_cast<double>(to - from);
    ranked.tie_term += ties * ties * ties - ties;
    from = to;
  }
  return ranked;
}

// The share of all choices of `taken` ranks whose sum is as far from the mean as `sum`, or farther.
double exact_p(const std::vector<uint64_t>& doubled, size_t taken, uint64_t sum) {
  const uint64_t total = std::accumulate(doubled.begin(), doubled.end(), uint64_t{0});
  std::vector<std::vector<double>> ways(taken + 1, std::vector<double>(total + 1, 0));
  ways[0][0] = 1;
  for (const uint64_t rank : doubled) {
    for (size_t count = taken; count > 0; --count) {
      for (uint64_t value = total; value >= rank; --value) ways[count][value] += ways[count - 1][value - rank];
    }
  }
  const double mean = static_cast<double>(total) * static_cast<double>(taken) / static_cast<double>(doubled.size());
  const double distance = std::abs(static_cast<double>(sum) - mean);
  double all = 0;
  double far = 0;
  for (uint64_t value = 0; value <= total; ++value) {
    all += ways[taken][value];
    if (std::abs(static_cast<double>(value) - mean) >= distance - 1e-9) far += ways[taken][value];
  }
  return std::min(1.0, far / all);
}

double approximate_p(double u, double first, double second, double tie_term) {
  const double all = first + second;
  const double variance = first * second / 12 * (all + 1 - tie_term / (all * (all - 1)));
  if (variance <= 0) return 1;
  const double distance = std::max(0.0, std::abs(u - first * second / 2) - 0.5);
  return std::erfc(distance / std::sqrt(variance) / std::sqrt(2.0));
}

}  // namespace

std::optional<RankTest> rank_test(const std::vector<double>& first, const std::vector<double>& second) {
  if (first.empty() || second.empty()) return std::nullopt;
  std::vector<double> all = first;
  all.insert(all.end(), second.begin(), second.end());
  const Ranked ranked = ranks_of(all);
  const auto middle = ranked.doubled.begin() + static_cast<ptrdiff_t>(first.size());
  const uint64_t sum = std::accumulate(middle, ranked.doubled.end(), uint64_t{0});
  const auto one = static_cast<double>(first.size());
  const auto other = static_cast<double>(second.size());
  const double u = static_cast<double>(sum) / 2 - other * (other + 1) / 2;
  RankTest test;
  test.superiority = u / (one * other);
  test.is_exact = all.size() <= kMostExact;
  test.p = test.is_exact ? exact_p(ranked.doubled, second.size(), sum) : approximate_p(u, one, other, ranked.tie_term);
  return test;
}

std::optional<size_t> values_advised(const RankTest& test) {
  const double shift = std::abs(test.superiority - 0.5);
  if (shift < 1e-9) return std::nullopt;
  const double z = kZSignificance + kZPower;
  return std::max(kLeastValues, static_cast<size_t>(std::ceil(z * z / (6 * shift * shift))));
}

double quantile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (at - static_cast<double>(below));
}

std::optional<Interval> ratio_interval(const std::vector<double>& first, const std::vector<double>& second) {
  constexpr size_t kLeast = 3;
  if (first.size() < kLeast || second.size() < kLeast) return std::nullopt;
  if (*std::min_element(first.begin(), first.end()) <= 0) return std::nullopt;
  std::mt19937_64 random(1);
  const auto resampled = [&](const std::vector<double>& values) {
    std::vector<double> drawn(values.size());
    for (double& value : drawn) value = values[random() % values.size()];
    return quantile(std::move(drawn), 0.5);
  };
  std::vector<double> ratios;
  for (size_t i = 0; i < kResamplings; ++i) {
    const double base = resampled(first);
    ratios.push_back(resampled(second) / base);
  }
  return Interval{quantile(ratios, kSignificance / 2), quantile(ratios, 1 - kSignificance / 2)};
}

}  // namespace mlps::reports
