#pragma once

#include <string>

#include "base/error.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {

/// The duration that `key` ("train.computation_time") and the keys below it give: a number, or mean and stdev, or
/// type with its parameters; kNone where there are none. E102 for parameters that are missing or belong to another
/// type.
Result<TimeDistribution> time_distribution_of(const Values& values, const std::string& key);

/// Makes room in `values` for `key`, which is about to be set: a number replaces a map of the same duration, and a
/// part of a map the number.
void replace_other_form(Values& values, const std::string& key);

}  // namespace mlps::workloads
