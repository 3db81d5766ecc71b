#pragma once

#include <cstdint>
#include <deque>

#include "benchmarks/kvcache/rank_trial.hpp"
#include "benchmarks/kvcache/tuning.hpp"

namespace mlps::kvcache {

inline constexpr double kScalingTickS = 10;  ///< between two looks at the storage

/// Decides how many users there are, by what the storage has shown since the last look. By saturation (kQos): users
/// leave when it was too high for some ticks, and come while it is low. By throughput (kCapacity): users come while
/// that brings more tokens per second, and two looks without a new peak end the window. A pure function of what it was
/// told.
class Autoscaler {
 public:
  Autoscaler(const ScalingRules& rules, uint32_t users) : rules_(rules), users_(users) {}

  /// What was seen since the last look, and since the window began.
  struct Look {
    double at_s = 0;                           ///< after the window began
    double read_p95_ms = 0, write_p95_ms = 0;  ///< of entries, since the last look
    double bytes_per_s = 0;                    ///< since the last look
    double tokens_per_s = 0;                   ///< since the beginning
  };
  /// Returns what was seen and done.
  ScalingTick look(const Look& look);

  uint32_t users() const { return users_; }
  bool is_stopped() const { return stopped_; }

 private:
  double saturation() const;
  uint32_t by_saturation(double saturation);
  uint32_t by_throughput(double tokens_per_s);
  uint32_t change(double users);

  const ScalingRules rules_;
  uint32_t users_;
  std::deque<Look> history_;
  uint32_t above_ = 0, cool_down_ = 0, without_peak_ = 0;
  double peak_ = 0;
  bool begun_ = false, stopped_ = false;
};

}  // namespace mlps::kvcache
