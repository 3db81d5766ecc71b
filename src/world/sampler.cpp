#include "world/sampler.hpp"

#include <algorithm>
#include <utility>

#include "base/process_usage.hpp"

namespace mlps::world {
namespace {

// Later than any run ends, and early enough for the arithmetic not to overflow.
constexpr double kFarthestNs = 1e18;

}  // namespace

bool SampleKeeper::is_too_much() const {
  const size_t most = std::max<size_t>(settings_.max_samples, 2) - 1;  // one place is the last sample's
  return kept_.size() > most || bytes_ > settings_.max_bytes;
}

void SampleKeeper::thin() {
  step_ *= 2;
  std::erase_if(kept_, [this](const Kept& kept) { return kept.tick % step_ != 0; });
  bytes_ = 0;
  for (const Kept& kept : kept_) bytes_ += kept.sample.memory_bytes();
}

void SampleKeeper::add(uint64_t tick, HostSample sample) {
  bytes_ += sample.memory_bytes();
  kept_.push_back({tick, std::move(sample)});
  while (is_too_much() && kept_.size() > 1) thin();
}

std::vector<HostSample> SampleKeeper::finish(HostSample last) {
  std::vector<HostSample> samples;
  samples.reserve(kept_.size() + 1);
  for (Kept& kept : kept_) samples.push_back(std::move(kept.sample));
  samples.push_back(std::move(last));
  kept_.clear();
  return samples;
}

Sampler::Sampler(const SamplerSettings& settings, Reader read, Failure& failure)
    : settings_(settings), read_(std::move(read)), keeper_(settings), start_ns_(now_ns()) {
  series_.requested_interval_s = settings.interval_s;
  keeper_.add(0, timed_read());
  Status started = thread_.start(
      {"counter samplers", {}, [&failure](Error error) { failure.raise(std::move(error)); }},
      [this] { return next_ns(); }, [this] { keeper_.add(tick_, timed_read()); });
  if (!started) failure.raise(std::move(started.error()));
}

HostSample Sampler::timed_read() {
  const Nanos before = thread_cpu_ns();  // what it takes from others
  HostSample sample = read_();
  series_.cost_ns += thread_cpu_ns() - before;
  ++series_.samples_taken;
  return sample;
}

Nanos Sampler::time_of(uint64_t tick) const {
  const double after = static_cast<double>(tick) * settings_.interval_s * 1e9;
  return start_ns_ + static_cast<Nanos>(std::min(after, kFarthestNs));
}

Nanos Sampler::next_ns() {
  const double passed = to_seconds(now_ns() - start_ns_) / settings_.interval_s;
  const uint64_t step = keeper_.step();
  tick_ = (std::max(tick_, static_cast<uint64_t>(passed)) / step + 1) * step;
  return time_of(tick_);
}

TimeSeries Sampler::stop() {
  thread_.stop();
  const double step = static_cast<double>(keeper_.step());
  series_.samples = keeper_.finish(timed_read());
  series_.interval_s = settings_.interval_s * step;
  return std::move(series_);
}

}  // namespace mlps::world
