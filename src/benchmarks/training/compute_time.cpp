#include "benchmarks/training/compute_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "payload/mix.hpp"

namespace mlps::training {
namespace {

using workloads::TimeDistribution;
using TimeKind = TimeDistribution::Kind;

constexpr uint64_t kComputeTimeKey = 0x9e3779b97f4a7c15u;

/// SplitMix64 over the state of a sampler, as the distributions of the standard library ask for random bits.
class RandomBits {
 public:
  using result_type = uint64_t;
  explicit RandomBits(uint64_t& state) : state_(state) {}
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return UINT64_MAX; }
  uint64_t operator()() { return payload::mix64(state_ += kComputeTimeKey); }

 private:
  uint64_t& state_;
};

double seconds_of(const TimeDistribution& distribution, RandomBits random) {
  const double first = distribution.first, second = distribution.second;
  switch (distribution.kind) {
    case TimeKind::kNone:
      return 0;
    case TimeKind::kConstant:
      return first;
    case TimeKind::kNormal:
      return first + second * std::normal_distribution()(random);
    case TimeKind::kUniform:
      return std::uniform_real_distribution(first, second)(random);
    case TimeKind::kGamma:
      return first > 0 ? second * std::gamma_distribution(first)(random) : 0;
    case TimeKind::kExponential:
      return first * std::exponential_distribution()(random);
    case TimeKind::kPoisson:
      return first > 0 ? static_cast<double>(std::poisson_distribution<int64_t>(first)(random)) : 0;
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
  if (is_fixed(distribution_)) constant_ns_ = to_nanos(seconds_of(distribution_, RandomBits(state_)));
}

Nanos TimeSampler::draw() {
  if (is_fixed(distribution_)) return constant_ns_;
  return to_nanos(seconds_of(distribution_, RandomBits(state_)));
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

double mean_seconds(const TimeDistribution& distribution) {
  constexpr int kDraws = 4096;
  TimeSampler sampler(distribution, 1, 0);
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) sum += to_seconds(sampler.draw());
  return sum / kDraws;
}

}  // namespace mlps::training
