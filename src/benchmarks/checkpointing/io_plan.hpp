#pragma once

#include "benchmarks/checkpointing/plan.hpp"
#include "benchmarks/checkpointing/record.hpp"
#include "io/plan.hpp"
#include "storage/store.hpp"

namespace mlps::checkpointing {

/// Decides workers, depth and buffer size so that workers x depth x part stays within the memory limit. About two
/// parts per rank are wanted in flight (the rule of mlpstorage 3.0: max(2, 16 / ranks) per rank), at least 16 and at
/// most 64 per host. A blocking store gets one thread per part in flight, an asynchronous one a thread per core. E102
/// when a value that was asked for can't be honoured; it names the flag, the value and the largest legal one.
Result<IoPlan> plan_io(const CheckpointPlan& plan, storage::Store& store, const io::PlanRequest& request);

}  // namespace mlps::checkpointing
