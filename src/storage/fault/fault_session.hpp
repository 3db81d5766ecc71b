#pragma once

#include <memory>

#include "storage/fault/fault_plan.hpp"
#include "storage/store.hpp"

namespace mlps::storage::fault {

/// Wraps a session: operations that `plan` chooses fail as it says, all others pass. `plan` must outlive the session.
std::unique_ptr<Session> make_fault_session(std::unique_ptr<Session> inner, FaultPlan& plan);

}  // namespace mlps::storage::fault
