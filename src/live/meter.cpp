#include "live/meter.hpp"

#include <algorithm>
#include <utility>

namespace mlps::live {
namespace {

constexpr Nanos kTickNs = 500'000'000;
constexpr Nanos kRateNs = 2'000'000'000;
constexpr Nanos kSecondNs = 1'000'000'000;
constexpr size_t kMostSeconds = 512;  // of history: more columns than a screen has

std::optional<double> seconds(const Histogram& histogram, uint64_t nanoseconds) {
  if (histogram.count() == 0) return std::nullopt;
  return to_seconds(static_cast<Nanos>(nanoseconds));
}

}  // namespace

void set_latency(State& state, const Histogram& latency) {
  state.latency_p50_s = seconds(latency, latency.percentile(0.5));
  state.latency_p99_s = seconds(latency, latency.percentile(0.99));
  state.latency_max_s = seconds(latency, latency.max());
}

void set_commits(State& state, const Histogram& commits) {
  state.commit_p50_s = seconds(commits, commits.percentile(0.5));
  state.commit_p99_s = seconds(commits, commits.percentile(0.99));
  state.commit_max_s = seconds(commits, commits.max());
}

Meter::Meter(Show show, Nanos begin, std::function<bool(State&)> fill, world::Failure& failure)
    : show_(std::move(show)), begin_(begin), fill_(std::move(fill)) {
  if (!show_) return;
  samples_.push_back({now_ns(), 0, 0});
  second_ = samples_.front();
  Status started = thread_.start(
      {"progress meters", {}, [&failure](Error error) { failure.raise(std::move(error)); }},
      [] { return now_ns() + kTickNs; }, [this] { tick(); });
  if (!started) failure.raise(std::move(started.error()));
}

void Meter::tick() {
  State state;
  if (!fill_(state)) return;
  const Nanos now = now_ns();
  state.elapsed_s = to_seconds(now - begin_);
  add_rates(now, state);
  show_(state);
}

void Meter::add_rates(Nanos now, State& state) {
  const Sample sample{now, state.bytes.value_or(0), state.items.value_or(0)};
  while (samples_.size() > 1 && samples_[1].at <= now - kRateNs) samples_.pop_front();
  const Sample& before = samples_.front();
  if (const double passed = to_seconds(now - before.at); passed > 0) {
    // A sum that has become less is that of something new.
    if (state.bytes) state.bytes_per_s = std::max(0.0, sample.bytes - before.bytes) / passed;
    if (state.items) state.items_per_s = std::max(0.0, sample.items - before.items) / passed;
  }
  samples_.push_back(sample);
  if (now - second_.at >= kSecondNs - kTickNs / 4) {
    history_.push_back(std::max(0.0, sample.bytes - second_.bytes) / to_seconds(now - second_.at));
    second_ = sample;
    if (history_.size() > kMostSeconds) history_.erase(history_.begin());
  }
  state.history = history_;
}

}  // namespace mlps::live
