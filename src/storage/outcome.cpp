#include "storage/outcome.hpp"

#include <fmt/format.h>

#include <utility>

namespace mlps::storage {

void start_outcome(Operation& operation, Nanos now) {
  operation.error.reset();
  operation.bytes = 0;
  operation.attempts = 1;
  operation.retried_bytes = 0;
  operation.first_byte_ns = 0;
  operation.completed_ns = 0;
  operation.submitted_ns = now;
}

void finish_outcome(Operation& operation, Status status) {
  if (!status) operation.error = std::move(status.error());
  operation.completed_ns = now_ns();
  if (operation.first_byte_ns == 0) operation.first_byte_ns = operation.completed_ns;
}

Error cancelled_error(std::string_view what, std::string_view subject) {
  return {ErrorCode::kInterrupted, fmt::format("{} {}: stopped before it was done", what, subject)};
}

Error cancelled_error(const Operation& operation) {
  return cancelled_error(op_name(operation.kind), operation.object->name());
}

}  // namespace mlps::storage
