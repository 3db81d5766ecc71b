#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "payload/mix.hpp"

namespace mlps::kvcache {

/// A stream of pseudo-random numbers (SplitMix64) that is a function of its seed alone, on every machine. Eight bytes,
/// so that each user and each request can have one of its own: what one draws never depends on what others do.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(payload::mix64(seed)) {}
  /// The stream of item `item` of kind `kind` in a run with this seed.
  Random(uint64_t seed, uint64_t kind, uint64_t item)
      : Random(payload::mix64(payload::mix64(seed) + kind) ^ payload::mix64(item + 0x6b76)) {}

  uint64_t next() { return payload::mix64(state_ += 0x9e3779b97f4a7c15u); }
  /// Returns a number in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * unit(); }
  /// Returns a whole number from `low` to `high`, both included.
  uint64_t integer(uint64_t low, uint64_t high) {
    return low + static_cast<uint64_t>(unit() * static_cast<double>(high - low + 1));
  }
  /// Returns a number of the exponential distribution with mean 1.
  double exponential() { return -std::log(1 - unit()); }
  /// Returns a number of the gamma distribution with this shape and mean 1 (Marsaglia and Tsang 2000; below shape 1
  /// with the power of a uniform number).
  double gamma(double shape) {
    const double k = shape < 1 ? shape + 1 : shape;
    const double d = k - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal();
      const double v = std::pow(1 + c * x, 3);
      if (v <= 0 || std::log(1 - unit()) >= 0.5 * x * x + d - d * v + d * std::log(v)) continue;
      return (shape < 1 ? d * v * std::pow(1 - unit(), 1 / shape) : d * v) / shape;
    }
  }

 private:
  double normal() { return std::sqrt(2 * exponential()) * std::cos(2 * std::numbers::pi * unit()); }

  uint64_t state_;
};

}  // namespace mlps::kvcache
