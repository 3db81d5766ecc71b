#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "results/run_context.hpp"
#include "results/run_hosts.hpp"

/// systems/<name>.yaml: the description of the system under test that a submission needs. A person completes it; the
/// program begins it with what it knows of the client hosts.
namespace mlps::results {

/// Returns the text as mlpstorage 3.0 begins it: the clients, equal ones merged and counted, most first. What a host
/// doesn't tell is an empty text.
std::string system_description(const std::vector<HostView>& hosts);

/// Returns what the hosts have otherwise than the nearest client of the description, lines of "host a: - cpu_qty: 1"
/// for what is described, and with + for what is found. An empty value on either side stands for any. Fails with E104
/// if it is not such a description.
Result<std::vector<std::string>> description_differences(const std::string& description,
                                                         const std::vector<HostView>& hosts);

/// Writes `<results-dir>/<mode>/<org>/systems/<system>.yaml` unless it is there; one that is there is never changed.
Status begin_system_description(const RunContext& context);

/// Fails with E404 in closed and open if the description that is there tells of other hosts than those of a run to
/// come; in whatif that is a warning. Needs the results folder, the mode, the names, and the members.
Status check_system_description(const RunContext& context);

}  // namespace mlps::results
