#pragma once

#include <optional>

#include "flags/options.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"
#include "storage/store.hpp"
#include "world/sampler.hpp"
#include "world/transport.hpp"

namespace mlps::cli {

/// Samples the counters of this host from construction until it is ended, unless --skip-timeseries. Every process of a
/// group has one, and ends it once, at the same time as the others: by finish() in process 0, by send() elsewhere. Both
/// are collective. A fault of the sampling, or counters that contradict the record, are warnings: they never fail a
/// run.
class HostWatch {
 public:
  HostWatch(const BenchmarkOptions& options, world::Failure& failure);

  /// Takes the last sample, writes the time series of all hosts, and compares the bytes that the processes of a run
  /// that passed have moved to and from `store` with the counters of their hosts. `claimed` are those of this process
  /// alone. Of a group that failed only this host's samples are written.
  results::HostFindings finish(const results::RunFolder& folder, const results::RunContext& about, bool passed,
                               const storage::Store& store, const world::MovedBytes& claimed,
                               world::Transport& transport);
  void send(bool passed, const storage::Store& store, const world::MovedBytes& claimed, world::Transport& transport);

 private:
  std::optional<world::Sampler> sampler_;
};

}  // namespace mlps::cli
