#pragma once

#include <string_view>

#include "storage/store.hpp"

/// What every session does to the outcome half of an Operation; for backends only.
namespace mlps::storage {

/// Is the first act of submit(): forgets the operation's last outcome and notes the time.
void start_outcome(Operation& operation, Nanos now = now_ns());

/// Is the last act before poll() hands the operation back: notes the time, and the error if there is one.
void finish_outcome(Operation& operation, Status status);

/// Returns whether operations of this kind give back what others took: these still run after Session::cancel().
constexpr bool is_cleanup(OpKind kind) {
  return kind == OpKind::kAbortWrite || kind == OpKind::kEndRead;
}

/// Returns E203, the error of everything that cancel() stopped.
Error cancelled_error(std::string_view what, std::string_view subject);
Error cancelled_error(const Operation& operation);

}  // namespace mlps::storage
