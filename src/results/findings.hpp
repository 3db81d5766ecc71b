#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "results/json_text.hpp"
#include "results/run_context.hpp"
#include "world/transport.hpp"

/// The findings from the counters of the hosts, in the result files and packed for process 0.
namespace mlps::results {

/// Returns `timeseries_data` of the metadata: null where no file was written.
Json time_series_data_json(const HostFindings& findings);

/// Adds "time_series" and "cross_check" (a list, by host) to a record; both null before the end of a run.
void add_findings(Json& record, const std::optional<RunOutcome>& outcome);

/// Returns a line for each host that there is a warning about.
std::string findings_text(const HostFindings& findings);

/// Packs a check for process 0.
world::Bytes pack(const HostCheck& check);
/// Unpacks what `whose` ("host b") packed. Fails with E503 if the bytes are not a packed check.
Result<HostCheck> unpack_check(const std::string& whose, std::string_view bytes);

}  // namespace mlps::results
