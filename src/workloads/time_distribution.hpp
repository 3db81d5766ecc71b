#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {

/// Returns the duration that `key` ("train.computation_time") and the keys below it define: a number, or mean and
/// stdev, or type with its parameters; kNone if there are none. Fails with E102 if parameters are missing or belong to
/// another type.
Result<TimeDistribution> time_distribution_of(const Values& values, const std::string& key);

/// Returns the keys of all durations, in both forms: "train.computation_time", "train.computation_time.mean", ...
std::vector<std::string> duration_keys();

/// Removes from `values` the other form of the duration `key`, which is about to be set: a number replaces the map, a
/// key of the map replaces the number.
void replace_other_form(Values& values, const std::string& key);

}  // namespace mlps::workloads
