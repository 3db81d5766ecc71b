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

/// Returns what the hosts have that no client of the description has, a sentence for each host; an empty value of the
/// description stands for any. Fails with E104 if it is not such a description.
Result<std::vector<std::string>> description_differences(const std::string& description,
                                                         const std::vector<HostView>& hosts);

/// Writes `<results-dir>/<mode>/<org>/systems/<system>.yaml` unless it is there; a description that is there is never
/// changed, and one that tells other hosts is warned of.
Status begin_system_description(const RunContext& context);

}  // namespace mlps::results
