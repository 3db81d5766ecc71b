#include "session/host_watch.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "results/findings.hpp"
#include "results/run_hosts.hpp"
#include "results/time_series.hpp"
#include "run/host_part.hpp"
#include "world/host_counters.hpp"

namespace mlps::cli {
namespace {

using results::HostCheck;

// Returns the first process on the host of `process`: a host's counters have the bytes of all its processes.
size_t first_on_host(const world::Transport& transport, size_t process) {
  const auto& members = transport.members();
  const auto first = std::find_if(members.begin(), members.end(),
                                  [&](const world::Member& member) { return member.host == members[process].host; });
  return static_cast<size_t>(first - members.begin());
}

// Returns the bytes that all processes on this host claim to have moved. Collective.
Result<world::MovedBytes> claims_of_host(const world::MovedBytes& mine, world::Transport& transport) {
  const size_t host = first_on_host(transport, transport.index());
  std::vector<double> claims(2 * size_t{transport.size()});  // bytes up to 2^53 are exact
  claims[2 * host] = static_cast<double>(mine.read);
  claims[2 * host + 1] = static_cast<double>(mine.written);
  if (Status summed = transport.reduce(world::Reduction::kSum, claims); !summed) return fail(summed.error());
  return world::MovedBytes{static_cast<uint64_t>(claims[2 * host]), static_cast<uint64_t>(claims[2 * host + 1])};
}

world::CrossCheck check_moved(const storage::Store& store, const world::MovedBytes& claimed,
                              const world::TimeSeries& series) {
  const world::CounterPlace place = world::place_of(store.root(), store.endpoints());
  return world::cross_check(claimed, place, series.samples.front(), series.samples.back());
}

// Returns the check of every host in process 0, elsewhere nothing. Collective.
Result<std::vector<HostCheck>> check_hosts(bool passed, const storage::Store& store, const world::MovedBytes& claimed,
                                           const world::TimeSeries& series, world::Transport& transport) {
  const auto claims = claims_of_host(claimed, transport);
  if (!claims) return fail(claims.error());
  HostCheck mine;
  mine.host = transport.members()[transport.index()].host;
  if (passed) {
    mine.check = check_moved(store, *claims, series);
  } else {
    mine.no_check_because = "the run did not pass";
  }
  const auto packed = transport.gather(results::pack(mine));
  if (!packed) return fail(packed.error());
  std::vector<HostCheck> checks;
  for (size_t process = 0; process < packed->size(); ++process) {
    if (first_on_host(transport, process) != process) continue;
    auto check = results::unpack_check(run::process_name(transport.members(), static_cast<uint32_t>(process)),
                                       (*packed)[process]);
    if (!check) return fail(std::move(check.error()));
    checks.push_back(std::move(*check));
  }
  return checks;
}

std::vector<HostCheck> no_checks(const results::RunContext& about, const std::string& why) {
  std::vector<HostCheck> checks;
  for (const std::string& host : results::host_names(about)) checks.push_back({host, std::nullopt, why});
  return checks;
}

void warn(const std::vector<HostCheck>& checks) {
  for (const HostCheck& host : checks) {
    if (!host.check || !host.check->warns()) continue;
    const std::string whose = checks.size() > 1 ? " of " + host.host : "";
    log::warning("cross-check with the kernel's counters{}: {}", whose, host.check->text);
  }
}

}  // namespace

HostWatch::HostWatch(const BenchmarkOptions& options, world::Failure& failure) {
  if (options.skip_timeseries) return;
  world::SamplerSettings settings;
  settings.interval_s = options.timeseries_interval_s;
  settings.max_samples = options.max_timeseries_samples;
  sampler_.emplace(
      settings, [counters = world::HostCounters()]() mutable { return counters.sample(); }, failure);
}

results::HostFindings HostWatch::finish(const results::RunFolder& folder, const results::RunContext& about, bool passed,
                                        const storage::Store& store, const world::MovedBytes& claimed,
                                        world::Transport& transport) {
  results::HostFindings findings;
  if (!sampler_) {
    findings.no_series_because = "--skip-timeseries";
    findings.checks = no_checks(about, "--skip-timeseries");
    return findings;
  }
  const world::TimeSeries series = sampler_->stop();
  auto file = transport.failure().raised() ? results::write_time_series(folder, about, series)
                                           : results::gather_time_series(folder, about, series, transport);
  // The failure may have come while it was gathered.
  if (!file && transport.failure().raised()) file = results::write_time_series(folder, about, series);
  if (file) {
    findings.series = std::move(*file);
  } else {
    findings.no_series_because = file.error().message;
    log::warning("no time series: {}", file.error().message);
  }
  auto checks = check_hosts(passed, store, claimed, series, transport);
  findings.checks =
      checks ? std::move(*checks) : no_checks(about, passed ? checks.error().message : "the run did not pass");
  warn(findings.checks);
  return findings;
}

void HostWatch::send(bool passed, const storage::Store& store, const world::MovedBytes& claimed,
                     world::Transport& transport) {
  if (!sampler_) return;
  const world::TimeSeries series = sampler_->stop();
  // A failure of either is shared by all processes, and process 0 reports it.
  if (!results::send_time_series(series, transport)) return;
  (void)check_hosts(passed, store, claimed, series, transport);
}

}  // namespace mlps::cli
