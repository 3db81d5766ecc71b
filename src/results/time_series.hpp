#pragma once

#include <string>

#include "base/error.hpp"
#include "results/json_text.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"
#include "world/sampler.hpp"

/// The time series of a run's host counters and what was found with them (spec/results.md section 2.8).
namespace mlps::results {

/// Writes `<benchmark>_<run_datetime>_timeseries.json` into `folder`, one sample per line, without holding the text.
Result<TimeSeriesFile> write_time_series(const RunFolder& folder, const RunContext& context,
                                         const world::TimeSeries& series);

/// One entry of `samples_by_host`; what could not be read is left out and stands in its `errors`.
Json sample_json(const std::string& hostname, const world::HostSample& sample);

/// `timeseries_data` of the metadata: null where no file was written.
Json time_series_data_json(const HostFindings& findings);

/// Adds "time_series" and "cross_check" to a record; both null before the end of a run.
void add_findings(Json& record, const std::optional<RunOutcome>& outcome);

/// What the table says of them: nothing if there is nothing to warn about.
std::string findings_text(const HostFindings& findings);

}  // namespace mlps::results
