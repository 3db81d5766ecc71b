#include "benchmarks/training/compute_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "payload/mix.hpp"

namespace mlps::training {
namespace {

using workloads::TimeDistribution;
using TimeKind = TimeDistribution::Kind;

constexpr uint64_t kComputeTimeKey = 0x9e3779b97f4a7c15u;

// SplitMix64 over the sampler's own state.
class Random {
 public:
  explicit Random(uint64_t& state) : state_(state) {}

  // (0, 1]: the logarithm of it is finite.
  double uniform() {
    state_ += kComputeTimeKey;
    return static_cast<double>((payload::mix64(state_) >> 11) + 1) * 0x1p-53;
  }

  double exponential() { return -std::log(uniform()); }

  double normal() {
    const double radius = std::sqrt(2 * exponential());
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

  // Marsaglia and Tsang's, for shapes from 1; a smaller one is raised by 1 and scaled down.
  double gamma(double shape) {
    if (shape <= 0) return 0;
    if (shape < 1) return gamma(shape + 1) * std::pow(uniform(), 1 / shape);
    const double d = shape - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal();
      const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
      if (v > 0 && std::log(uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
  }

  // Arrivals at rate 1 until `mean`: exact, and its cost is nothing against sleeping for so many seconds.
  double poisson(double mean) {
    double arrivals = 0;
    for (double time = exponential(); time < mean; time += exponential()) ++arrivals;
    return arrivals;
  }

 private:
  uint64_t& state_;
};

double seconds_of(const TimeDistribution& distribution, Random random) {
  switch (distribution.kind) {
    case TimeKind::kNone:
      return 0;
    case TimeKind::kConstant:
      return distribution.first;
    case TimeKind::kNormal:
      return distribution.first + distribution.second * random.normal();
    case TimeKind::kUniform:
      return distribution.first + (distribution.second - distribution.first) * random.uniform();
    case TimeKind::kGamma:
      return random.gamma(distribution.first) * distribution.second;
    case TimeKind::kExponential:
      return random.exponential() * distribution.first;
    case TimeKind::kPoisson:
      return random.poisson(distribution.first);
  }
  return 0;
}

Nanos to_nanos(double seconds) {
  constexpr double kLimit = 1e18;  // 31 years: far tails stay a number
  return static_cast<Nanos>(std::llround(std::min(std::abs(seconds) * 1e9, kLimit)));
}

bool is_fixed(const TimeDistribution& distribution) {
  return distribution.kind == TimeKind::kNone || distribution.kind == TimeKind::kConstant;
}

}  // namespace

TimeSampler::TimeSampler(const TimeDistribution& distribution, uint64_t seed, uint32_t rank)
    : distribution_(distribution), state_(payload::mix64(payload::mix64(seed + kComputeTimeKey) + rank)) {
  if (is_fixed(distribution_)) constant_ns_ = to_nanos(seconds_of(distribution_, Random(state_)));
}

Nanos TimeSampler::draw() {
  if (is_fixed(distribution_)) return constant_ns_;
  return to_nanos(seconds_of(distribution_, Random(state_)));
}

std::string describe(const TimeDistribution& distribution) {
  const double first = distribution.first, second = distribution.second;
  switch (distribution.kind) {
    case TimeKind::kNone:
      return "none";
    case TimeKind::kConstant:
      return fmt::format("{} s", first);
    case TimeKind::kNormal:
      return fmt::format("normal({} s, {} s)", first, second);
    case TimeKind::kUniform:
      return fmt::format("uniform({} s, {} s)", first, second);
    case TimeKind::kGamma:
      return fmt::format("gamma(shape {}, scale {} s)", first, second);
    case TimeKind::kExponential:
      return fmt::format("exponential({} s)", first);
    case TimeKind::kPoisson:
      return fmt::format("poisson({} s)", first);
  }
  return "unknown";
}

}  // namespace mlps::training
