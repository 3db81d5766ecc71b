#pragma once

#include "base/error.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {

/// Fills the typed members of `workload` from its values, which the schema has checked. E102 for values that don't fit
/// together, E902 for formats this build has none of; what is worth telling goes to the notes.
Status build_typed(TrainingWorkload& workload);

}  // namespace mlps::workloads
