#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/training/step_log.hpp"
#include "world/transport.hpp"

namespace mlps::training {

/// Returns in process 0 a new log in `folder` that has the steps of all ranks, and nullptr elsewhere. Collective; every
/// process gives the log of its own ranks, flushed, all with equally many steps; nullptr is one without steps. `ranks`,
/// in process 0: how many ranks each process has. Memory is a MiB per process (or one step, where that is more) in two
/// copies, whatever the number of steps. Errors in process 0 are raised for all; steps that don't fit together are
/// E503.
Result<std::shared_ptr<StepLog>> gather_steps(const StepLog* mine, world::Transport& transport,
                                              const std::vector<uint32_t>& ranks, const std::string& folder);

}  // namespace mlps::training
