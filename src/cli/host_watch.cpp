#include "cli/host_watch.hpp"

#include <memory>
#include <string>

#include "base/log.hpp"
#include "results/time_series.hpp"
#include "world/host_counters.hpp"

namespace mlps::cli {
namespace {

world::CrossCheck check_moved(const storage::Store& store, const world::MovedBytes& claimed,
                              const world::TimeSeries& series) {
  std::string endpoints;
  for (const auto& [name, value] : store.describe()) {
    if (name == "endpoint") endpoints = value;
  }
  const world::CounterPlace place = world::place_of(store.root(), endpoints);
  return world::cross_check(claimed, place, series.samples.front(), series.samples.back());
}

}  // namespace

HostWatch::HostWatch(const BenchmarkOptions& options) {
  if (options.skip_timeseries) return;
  world::SamplerSettings settings;
  settings.interval_s = options.timeseries_interval_s;
  settings.max_samples = options.max_timeseries_samples;
  sampler_.emplace(settings, [counters = world::HostCounters()]() mutable { return counters.sample(); });
}

results::HostFindings HostWatch::finish(const results::RunFolder& folder, const results::RunContext& about, bool passed,
                                        const storage::Store& store, const world::MovedBytes& claimed) {
  results::HostFindings findings;
  if (!sampler_) {
    findings.no_series_because = findings.no_check_because = "--skip-timeseries";
    return findings;
  }
  const world::TimeSeries series = sampler_->stop();
  auto file = results::write_time_series(folder, about, series);
  if (file) {
    findings.series = std::move(*file);
  } else {
    findings.no_series_because = file.error().message;
    log::warning("no time series of this host: {}", file.error().message);
  }
  if (!passed) {
    findings.no_check_because = "the run did not pass";
    return findings;
  }
  findings.check = check_moved(store, claimed, series);
  if (findings.check->warns()) log::warning("cross-check with the kernel's counters: {}", findings.check->text);
  return findings;
}

}  // namespace mlps::cli
