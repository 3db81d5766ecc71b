#include "benchmarks/kvcache/autoscaler.hpp"

#include <algorithm>
#include <cmath>

namespace mlps::kvcache {
namespace {

constexpr double kAboveTarget = 1.1, kBelowTarget = 0.9;  // of the target saturation
constexpr uint32_t kCoolDownTicks = 3;
constexpr double kSteadyVariation = 0.1, kUnsteadyWeight = 0.5;
constexpr double kFirstStep = 0.4, kFurtherStep = 0.2;  // of the users
constexpr double kLeastStep = 5, kMostStep = 100;       // users
constexpr double kNewPeak = 1.01;
constexpr uint32_t kTicksWithoutPeak = 2;

}  // namespace

/// How near the storage is to its limit, from 0 to 1: how slow reads are, and half of that while throughput still moves
/// or reads don't get slower. 0 until there are enough looks.
double Autoscaler::saturation() const {
  if (history_.size() < rules_.history) return 0;
  double slowest = 0, sum = 0, squares = 0;
  for (const Look& look : history_) {
    slowest = std::max(slowest, look.read_p95_ms);
    sum += look.bytes_per_s;
    squares += look.bytes_per_s * look.bytes_per_s;
  }
  const auto count = static_cast<double>(history_.size());
  const double mean = sum / count;
  const double deviation = std::sqrt(std::max(0.0, squares / count - mean * mean));
  const bool steady = mean > 0 && deviation / mean < kSteadyVariation;
  const bool slower = history_.back().read_p95_ms > history_.front().read_p95_ms;
  return std::min(slowest / rules_.read_p95_ms, 1.0) * (steady && slower ? 1 : kUnsteadyWeight);
}

uint32_t Autoscaler::change(double users) {
  const auto wanted = static_cast<uint32_t>(
      std::clamp(std::round(users), static_cast<double>(rules_.fewest), static_cast<double>(rules_.most)));
  const uint32_t act = wanted > users_ ? ScalingAct::kUp : wanted < users_ ? ScalingAct::kDown : ScalingAct::kHold;
  users_ = wanted;
  return act;
}

uint32_t Autoscaler::by_saturation(double saturation) {
  if (cool_down_ > 0) {
    --cool_down_;
    return ScalingAct::kHold;
  }
  above_ = saturation > kAboveTarget * rules_.target_saturation ? above_ + 1 : 0;
  if (above_ >= rules_.samples_above) {
    above_ = 0;
    cool_down_ = kCoolDownTicks;
    return change(users_ * rules_.down);
  }
  return saturation < kBelowTarget * rules_.target_saturation ? change(users_ * rules_.up) : ScalingAct::kHold;
}

uint32_t Autoscaler::by_throughput(double tokens_per_s) {
  const auto step = [&](double share) { return users_ + std::clamp(users_ * share, kLeastStep, kMostStep); };
  if (!begun_) {
    begun_ = true;
    peak_ = tokens_per_s;
    return change(step(kFirstStep));
  }
  if (tokens_per_s > kNewPeak * peak_) {
    peak_ = tokens_per_s;
    without_peak_ = 0;
    return change(step(kFurtherStep));
  }
  stopped_ = ++without_peak_ >= kTicksWithoutPeak;
  return stopped_ ? ScalingAct::kStop : ScalingAct::kHold;
}

ScalingTick Autoscaler::look(const Look& look) {
  history_.push_back(look);
  if (history_.size() > rules_.history) history_.pop_front();
  ScalingTick tick;
  tick.at_s = look.at_s;
  tick.read_p95_ms = look.read_p95_ms;
  tick.write_p95_ms = look.write_p95_ms;
  tick.tokens_per_s = look.tokens_per_s;
  tick.saturation = saturation();
  tick.act = rules_.mode == AutoscalerMode::kQos ? by_saturation(tick.saturation) : by_throughput(look.tokens_per_s);
  tick.users = users_;
  tick.peak_tokens_per_s = peak_;
  return tick;
}

}  // namespace mlps::kvcache
