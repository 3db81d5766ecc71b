#pragma once

#include <optional>

#include "flags/commands.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"
#include "storage/store.hpp"
#include "world/sampler.hpp"
#include "world/transport.hpp"

namespace mlps::cli {

/// Samples the counters of this host from its making to its end, unless --skip-timeseries. Every process of a job has
/// one, and ends it once, at the same time as the others: by finish() in process 0, by send() elsewhere. Whatever goes
/// wrong with it, or doesn't fit, is a warning: it never fails a run.
class HostWatch {
 public:
  HostWatch(const BenchmarkOptions& options, world::Failure& failure);

  /// Takes the last sample, writes the time series of all hosts, and compares what the processes of a run that passed
  /// claim to have moved to and from `store` with the counters of their hosts. `claimed`: by this process alone. Of a
  /// job that failed there is only what this host knows.
  results::HostFindings finish(const results::RunFolder& folder, const results::RunContext& about, bool passed,
                               const storage::Store& store, const world::MovedBytes& claimed,
                               world::Transport& transport);
  void send(bool passed, const storage::Store& store, const world::MovedBytes& claimed, world::Transport& transport);

 private:
  std::optional<world::Sampler> sampler_;
};

}  // namespace mlps::cli
