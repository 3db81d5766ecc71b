#pragma once

#include <optional>

#include "cli/commands.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"
#include "storage/store.hpp"
#include "world/sampler.hpp"

namespace mlps::cli {

/// Samples the counters of this host from its making to finish(), unless --skip-timeseries.
class HostWatch {
 public:
  explicit HostWatch(const BenchmarkOptions& options);

  /// Takes the last sample, writes the time series, and compares what a run that passed `claimed` to have moved to and
  /// from `store` with the counters. Whatever goes wrong, or doesn't fit, is a warning: it never fails a run. Once.
  results::HostFindings finish(const results::RunFolder& folder, const results::RunContext& about, bool passed,
                               const storage::Store& store, const world::MovedBytes& claimed);

 private:
  std::optional<world::Sampler> sampler_;
};

}  // namespace mlps::cli
