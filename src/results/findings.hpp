#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "results/json_text.hpp"
#include "results/run_context.hpp"
#include "world/transport.hpp"

/// What the counters of the hosts showed, in the result files and on its way to process 0.
namespace mlps::results {

/// `timeseries_data` of the metadata: null where no file was written.
Json time_series_data_json(const HostFindings& findings);

/// Adds "time_series" and "cross_check" (a list, by host) to a record; both null before the end of a run.
void add_findings(Json& record, const std::optional<RunOutcome>& outcome);

/// What the table says of them: a line per host with something to warn about.
std::string findings_text(const HostFindings& findings);

/// A check on its way to process 0.
world::Bytes pack(const HostCheck& check);
/// What `whose` ("host b") packed. Other bytes are E503.
Result<HostCheck> unpack_check(const std::string& whose, std::string_view bytes);

}  // namespace mlps::results
