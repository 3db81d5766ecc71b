#pragma once

#include "base/error.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"
#include "world/sampler.hpp"
#include "world/transport.hpp"

/// The file with the counters of all hosts over a run, in the shape of mlpstorage 3.0.
namespace mlps::results {

/// Collective, with send_time_series() in every other process: writes `<benchmark>_<run_datetime>_timeseries.json` with
/// the samples of every host into `folder`, one per line, in time of this process's clock. Neither is held in memory:
/// samples travel in pieces and wait in a file without a name. A file that can't be written fails no other process, nor
/// the job. Once a failure was raised nothing can be gathered: its error comes back.
Result<TimeSeriesFile> gather_time_series(const RunFolder& folder, const RunContext& context,
                                          const world::TimeSeries& mine, world::Transport& transport);
Status send_time_series(const world::TimeSeries& mine, world::Transport& transport);

/// The same file with the samples of this process's host alone: what can be had of a job that failed.
Result<TimeSeriesFile> write_time_series(const RunFolder& folder, const RunContext& context,
                                         const world::TimeSeries& mine);

}  // namespace mlps::results
