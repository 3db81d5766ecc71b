#pragma once

#include "base/error.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"
#include "world/sampler.hpp"
#include "world/transport.hpp"

/// The file with the counters of all hosts over a run, in the shape of mlpstorage 3.0.
namespace mlps::results {

/// Collective, with send_time_series() in every other process: writes `<benchmark>_<run_datetime>_timeseries.json` with
/// the samples of every host into `folder`, one per line, in time of this process's clock. Memory is bounded:
/// samples travel in pieces and are collected in an unlinked file. A file that can't be written fails no other process,
/// nor the job. Once a failure was raised nothing can be gathered: its error comes back.
Result<TimeSeriesFile> gather_time_series(const RunFolder& folder, const RunContext& context,
                                          const world::TimeSeries& mine, world::Transport& transport);
Status send_time_series(const world::TimeSeries& mine, world::Transport& transport);

/// Writes the same file with the samples of this host alone, after a job that failed.
Result<TimeSeriesFile> write_time_series(const RunFolder& folder, const RunContext& context,
                                         const world::TimeSeries& mine);

}  // namespace mlps::results
