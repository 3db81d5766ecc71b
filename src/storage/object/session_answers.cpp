#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/units.hpp"
#include "storage/object/errors.hpp"
#include "storage/object/object_session.hpp"
#include "storage/outcome.hpp"

/// What ObjectSession makes of the answers to its calls.
namespace mlps::object {
namespace {

/// Returns the error of a server that has acknowledged what it doesn't have.
Error lost_object(std::string message, std::string details) {
  return {ErrorCode::kDataMismatch, std::move(message), std::move(details),
          "The server acknowledged data that it doesn't have; don't trust it with this load."};
}

}  // namespace

/// Has the dialect read the accepted answer of the step's present request.
Status ObjectSession::take(Task& task) {
  const Dialect& dialect = *context_->dialect;
  switch (task.step) {
    case Step::kBegin:
      return dialect.take_begin(task.call, *task.object);
    case Step::kWrite:
      return dialect.take_part(task.call, *task.object, task.operation->part);
    case Step::kCommit:
      return dialect.take_commit(task.call, *task.object);
    case Step::kFindLost:
      return take_lost(task);
    default:
      return {};
  }
}

void ObjectSession::advance(Task& task) {
  if (cancelled_.load() && (task.step == Step::kWrite || task.step == Step::kCommit)) {
    return finish(task, storage::cancelled_error(storage::op_name(task.operation->kind), task.object->uri()));
  }
  if (task.call.error) return step_failed(task);
  task.answer_lost = task.answer_lost || task.call.answer_lost;
  if (Status taken = take(task); !taken) {
    task.answer_lost = true;
    task.call.error = Error{taken.error().code, fmt::format("{} {}: {}", context_->dialect->call_name(task.call.kind),
                                                            task.object->uri(), taken.error().message)};
    return step_failed(task);
  }
  proceed(task);
}

/// Keeps the ids of uploads of the task's object but for the object's own.
Status ObjectSession::take_lost(Task& task) {
  auto page = context_->dialect->read_list_uploads(task.call);
  if (!page) return fail(page.error());
  if (!page->next_key.empty() && page->next_key == task.page.next_key && page->next_id == task.page.next_id) {
    return fail(ErrorCode::kStorageProtocol, "the server repeats its marker, so the list never ends");
  }
  task.page = std::move(*page);
  const std::string key = context_->root.key_of(task.object->name());
  for (ListedUpload& upload : task.page.uploads) {
    if (upload.key == key && upload.id != task.object->upload_id) task.lost.push_back(std::move(upload.id));
  }
  return {};
}

void ObjectSession::step_done(Task& task) {
  switch (task.step) {
    case Step::kBegin:
      if (cancelled_.load()) return start(task, Step::kUndoBegin);
      if (task.answer_lost) return start(task, Step::kFindLost);
      return finish(task, std::nullopt);
    case Step::kWrite:
      task.object->parts[task.operation->part].stored = true;
      task.operation->bytes = task.operation->buffer.size();
      return finish(task, std::nullopt);
    case Step::kCommit:
      task.object->completed = true;
      return start(task, Step::kVerify);
    case Step::kVerify:
    case Step::kVerifyLost:
      return verified(task);
    case Step::kAbort:
      task.object->upload_id.clear();
      return finish(task, std::nullopt);
    case Step::kUndoBegin:
      task.object->upload_id.clear();
      return finish(task,
                    storage::cancelled_error(context_->dialect->call_name(CallKind::kBeginUpload), task.object->uri()));
    case Step::kAbortLost:
      task.lost.pop_back();
      [[fallthrough]];
    case Step::kFindLost:
      if (!task.lost.empty()) return start(task, Step::kAbortLost);
      return finish(task, std::move(task.first_error));
    case Step::kRead:
      return read_done(task);
  }
}

void ObjectSession::step_failed(Task& task) {
  const Call& call = task.call;
  switch (task.step) {
    case Step::kBegin:
      if (!task.answer_lost && !call.answer_lost) break;
      task.first_error = std::move(task.call.error);
      return start(task, Step::kFindLost);
    case Step::kFindLost:
    case Step::kAbortLost:
      context_->tell_open_upload(task.object->uri(), call.error->message);
      return finish(task, std::move(task.first_error));
    case Step::kWrite: {
      // The server refused it explicitly: there is nothing to undo.
      const int status = call.exchange.status;
      if (status >= 400 && status < 500 && !call.answer_lost) task.object->maybe_stored.store(false);
      break;
    }
    case Step::kCommit:
      if (!context_->dialect->commit_undecided(call)) break;
      task.first_error = std::move(task.call.error);
      return start(task, Step::kVerifyLost);
    case Step::kVerify:
    case Step::kVerifyLost:
      return verified(task);
    case Step::kUndoBegin:
      task.object->upload_id.clear();
      return finish(task,
                    storage::cancelled_error(context_->dialect->call_name(CallKind::kBeginUpload), task.object->uri()));
    default:
      break;
  }
  finish(task, std::move(task.call.error));
}

void ObjectSession::verified(Task& task) {
  Call& call = task.call;
  const Dialect& dialect = *context_->dialect;
  Result<ObjectFacts> facts = call.error ? fail(*call.error) : dialect.read_head(call.exchange);
  if (task.step == Step::kVerifyLost) {
    const bool ours =
        facts && facts->size_bytes == task.object->size_bytes() && dialect.is_this_write(*task.object, call.exchange);
    if (!ours) return finish(task, std::move(task.first_error));
    task.object->completed = true;
  }
  if (call.error && call.error->code == ErrorCode::kStorageNotFound) {
    return finish(task, lost_object(fmt::format("{} was acknowledged but is not there", task.object->uri()),
                                    call.error->message));
  }
  if (call.error) return finish(task, std::move(call.error));
  if (!facts) {
    return finish(task, Error{facts.error().code, fmt::format("{} {}: {}", dialect.call_name(call.kind),
                                                              task.object->uri(), facts.error().message)});
  }
  if (facts->size_bytes != task.object->size_bytes()) {
    return finish(task, lost_object(fmt::format("{} was stored with {} bytes, but {} were sent", task.object->uri(),
                                                grouped(facts->size_bytes), grouped(task.object->size_bytes())),
                                    fmt::format("found by {} after the upload", dialect.call_name(call.kind))));
  }
  finish(task, dialect.check_stored(*task.object, call.exchange));
}

void ObjectSession::read_done(Task& task) {
  const http::Exchange& answer = task.call.exchange;
  const std::string_view version = context_->dialect->version_of(answer);
  if (!task.object->is_version(version)) {
    return finish(task,
                  Error{ErrorCode::kDataMismatch,
                        fmt::format("{} {} {}: the answer is of version {}, an earlier one of version {}",
                                    context_->dialect->call_name(task.call.kind), task.object->uri(), task.call.scope,
                                    printable(version, 100), printable(task.object->pinned_etag(), 100)),
                        "ETags of the parts of one read differ", kVersionAdvice});
  }
  task.operation->bytes = answer.received;
  task.operation->first_byte_ns = answer.first_byte_ns;
  finish(task, std::nullopt);
}

void ObjectSession::finish(Task& task, std::optional<Error> error) {
  Operation& operation = *task.operation;
  operation.attempts = 1 + task.retries + task.call.retries;
  operation.retried_bytes = task.retried_bytes + task.call.retried_bytes;
  task.operation = nullptr;
  task.object = nullptr;
  free_.push_back(&task);
  finish(operation, std::move(error));
}

void ObjectSession::finish(Operation& operation, std::optional<Error> error) {
  storage::finish_outcome(operation, error ? Status(fail(std::move(*error))) : Status{});
  ready_.push_back(&operation);
}

}  // namespace mlps::object
