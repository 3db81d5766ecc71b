#pragma once

#include <string>

#include "base/error.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {

/// Returns the duration that `key` ("train.computation_time") and the keys below it define: a number, or mean and
/// stdev, or type with its parameters; kNone if there are none. Fails with E102 if parameters are missing or belong to
/// another type.
Result<TimeDistribution> time_distribution_of(const Values& values, const std::string& key);

/// Removes from `values` the other form of the duration `key`, which is about to be set: a number replaces the map, a
/// key of the map replaces the number.
void replace_other_form(Values& values, const std::string& key);

}  // namespace mlps::workloads
