#pragma once

#include "base/error.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {

/// Fills the typed members of `workload` from its values, which the schema has checked. Fails with
/// E102 for values that contradict one another, E902 for formats that are not implemented. Remarks for the user are
/// appended to the notes.
Status build_typed(TrainingWorkload& workload);

}  // namespace mlps::workloads
