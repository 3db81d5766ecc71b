#include "storage/posix/local_session.hpp"

#include <utility>

#include "storage/outcome.hpp"

namespace mlps::storage::posix {

void LocalSession::submit(Operation& operation) {
  start_outcome(operation);
  if (cancelled() && !is_cleanup(operation.kind)) return complete(operation, fail(cancelled_error(operation)));
  LocalObject& object = object_of(operation);
  switch (operation.kind) {
    case OpKind::kBeginWrite:
      return complete_begin(operation, object.begin_write());
    case OpKind::kAbortWrite:
      return complete(operation, object.abort_write());
    case OpKind::kBeginRead:
      return complete_begin(operation, object.begin_read());
    case OpKind::kEndRead:
      return complete(operation, object.end_read());
    case OpKind::kWritePart:
    case OpKind::kReadPart:
    case OpKind::kReadRange:
      return move(operation, object);
    case OpKind::kCommitWrite:
      return commit(operation, object);
  }
}

void LocalSession::move(Operation& operation, LocalObject& object) {
  if (Status legal = check_buffer(operation, object); !legal) return complete(operation, std::move(legal));
  const uint64_t length = operation.length();
  if (length == 0) return complete(operation, {});
  const size_t alignment = object.mode().alignment;
  if (operation.reads_body()) return start_move(operation, Transfer::of_read(length, alignment));
  const uint64_t whole = length / alignment * alignment;
  if (whole < length) {
    const auto end = operation.buffer.subspan(whole, length - whole);
    if (Status written = object.write_end(end, operation.offset() + whole); !written) {
      return complete(operation, std::move(written));
    }
  }
  if (whole == 0) return complete_move(operation);
  start_move(operation, Transfer::of_write(whole, alignment));
}

void LocalSession::commit(Operation& operation, LocalObject& object) {
  if (Status prepared = object.prepare_commit(); !prepared) return complete(operation, std::move(prepared));
  if (object.mode().durability == Durability::kOnFlush) return complete(operation, object.finish_commit());
  start_sync(operation);
}

void LocalSession::complete_move(Operation& operation) {
  operation.bytes = operation.length();
  object_of(operation).count_moved(operation.bytes);
  complete(operation, {});
}

void LocalSession::complete_begin(Operation& operation, Status status) {
  operation.attempts = object_of(operation).attempts();
  complete(operation, std::move(status));
}

void LocalSession::complete(Operation& operation, Status status) {
  finish_outcome(operation, std::move(status));
  ready_.push_back(&operation);
}

void LocalSession::take_ready(std::vector<Operation*>& done) {
  done.insert(done.end(), ready_.begin(), ready_.end());
  ready_.clear();
}

}  // namespace mlps::storage::posix
