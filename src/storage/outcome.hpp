#pragma once

#include <utility>

#include "storage/store.hpp"

/// What every session does to the outcome half of an Operation; for backends only.
namespace mlps::storage {

/// First act of submit(): forgets the slot's last outcome and notes the time.
inline void start_outcome(Operation& operation, Nanos now = now_ns()) {
  operation.error.reset();
  operation.bytes = 0;
  operation.attempts = 1;
  operation.retried_bytes = 0;
  operation.first_byte_ns = 0;
  operation.completed_ns = 0;
  operation.submitted_ns = now;
}

/// Last act before poll() hands the operation back.
inline void finish_outcome(Operation& operation, Status status) {
  if (!status) operation.error = std::move(status.error());
  operation.completed_ns = now_ns();
  if (operation.first_byte_ns == 0) operation.first_byte_ns = operation.completed_ns;
}

/// Operations that give back what others took: these still run after Session::cancel().
inline bool is_cleanup(OpKind kind) {
  return kind == OpKind::kAbortWrite || kind == OpKind::kEndRead;
}

/// E203, as every operation ends that cancel() stopped.
inline Error cancelled_error(const Operation& operation) {
  return Error{ErrorCode::kInterrupted,
               std::string(op_name(operation.kind)) + " of " + operation.object->name() + " was cancelled"};
}

}  // namespace mlps::storage
