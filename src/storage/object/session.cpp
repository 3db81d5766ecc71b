#include "storage/object/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "storage/object/object_session.hpp"
#include "storage/outcome.hpp"

namespace mlps::object {

// ---- requests

void ObjectSession::submit(Operation& operation) {
  storage::start_outcome(operation);
  auto& object = static_cast<RemoteObject&>(*operation.object);
  if (cancelled_.load() && !storage::is_cleanup(operation.kind)) {
    return finish(operation, storage::cancelled_error(storage::op_name(operation.kind), object.uri()));
  }
  switch (operation.kind) {
    case OpKind::kBeginWrite:
      return begin_write(operation, object);
    case OpKind::kWritePart:
      return write_part(operation, object);
    case OpKind::kCommitWrite:
      return commit_write(operation, object);
    case OpKind::kAbortWrite:
      return abort_write(operation, object);
    case OpKind::kReadPart:
    case OpKind::kReadRange:
      return read_part(operation, object);
    case OpKind::kBeginRead:
    case OpKind::kEndRead:
      return finish(operation, std::nullopt);
  }
}

void ObjectSession::begin_write(Operation& operation, RemoteObject& object) {
  const PartLimits limits = context_->dialect->limits();
  if (object.part_count() > limits.max_parts) {
    return refuse(operation, ErrorCode::kConfigInvalid,
                  fmt::format("{} bytes don't fit into {} parts of {}", object.size_bytes(), limits.max_parts,
                              human_bytes(limits.max_part_bytes)));
  }
  object.parts.assign(object.part_count(), {});
  if (object.single()) return finish(operation, std::nullopt);
  if (Task* task = task_for(operation, object)) start(*task, Step::kBegin);
}

void ObjectSession::write_part(Operation& operation, RemoteObject& object) {
  if (operation.part >= object.parts.size() || (!object.single() && object.upload_id.empty())) {
    return refuse(operation, ErrorCode::kInternal, fmt::format("part {} without a begun upload", operation.part));
  }
  if (operation.buffer.size() != object.part_length(operation.part)) {
    return refuse(operation, ErrorCode::kInternal,
                  fmt::format("part {} has {} bytes instead of {}", operation.part, operation.buffer.size(),
                              object.part_length(operation.part)));
  }
  Task* task = task_for(operation, object);
  if (task == nullptr) return;
  if (object.single()) object.maybe_stored.store(true);
  start(*task, Step::kWrite);
}

void ObjectSession::commit_write(Operation& operation, RemoteObject& object) {
  const auto missing =
      std::find_if_not(object.parts.begin(), object.parts.end(), [](const StoredPart& part) { return part.stored; });
  if (object.parts.empty() || missing != object.parts.end()) {
    return refuse(operation, ErrorCode::kInternal,
                  fmt::format("part {} was not written", missing - object.parts.begin() + 1));
  }
  Task* task = task_for(operation, object);
  if (task == nullptr) return;
  if (object.single()) return start(*task, Step::kVerify);
  object.complete_sent = true;
  start(*task, Step::kCommit);
}

void ObjectSession::abort_write(Operation& operation, RemoteObject& object) {
  if (Task* task = task_for(operation, object)) start(*task, Step::kAbort);
}

void ObjectSession::read_part(Operation& operation, RemoteObject& object) {
  if (!operation.is_inside() || operation.buffer.size() < operation.length()) {
    return refuse(operation, ErrorCode::kInternal, "what is asked for doesn't exist or doesn't fit the buffer");
  }
  if (Task* task = task_for(operation, object)) start(*task, Step::kRead);
}

Task* ObjectSession::task_for(Operation& operation, RemoteObject& object) {
  if (free_.empty()) {
    refuse(operation, ErrorCode::kInternal, fmt::format("more than {} operations in flight", tasks_.size()));
    return nullptr;
  }
  Task* task = free_.back();
  free_.pop_back();
  task->operation = &operation;
  task->object = &object;
  task->first_error.reset();
  task->lost.clear();
  task->page = {};
  task->answer_lost = false;
  task->retries = 0;
  task->retried_bytes = 0;
  task->call.retries = 0;
  task->call.retried_bytes = 0;
  return task;
}

void ObjectSession::start(Task& task, Step step) {
  task.step = step;
  task.round = 0;
  task.call.memo.clear();
  proceed(task);
}

/// Sends the next request of the task's step, or ends the step when there is none.
void ObjectSession::proceed(Task& task) {
  const unsigned retries = task.call.retries;
  const uint64_t retried_bytes = task.call.retried_bytes;
  if (!ask(task)) return step_done(task);
  task.retries += retries;
  task.retried_bytes += retried_bytes;
  ++task.round;
  // Only cleaning up still runs once the run is being stopped, and it must not delay the exit.
  if (cancelled_.load()) {
    task.call.deadline_ns =
        now_ns() + std::max<Nanos>(context_->settings.cancel_grace.count(), task.operation->limit_ns);
  }
  client_->begin(task.call);
}

/// Has the dialect write the next request of the step; false if there is none.
bool ObjectSession::ask(Task& task) {
  const Dialect& dialect = *context_->dialect;
  RemoteObject& object = *task.object;
  const Operation& operation = *task.operation;
  switch (task.step) {
    case Step::kBegin:
      return dialect.ask_begin(task.call, object, task.round);
    case Step::kWrite: {
      const bool asks = dialect.ask_part(task.call, object, operation.part, operation.buffer, task.round);
      task.call.first_byte = operation.offset();
      return asks;
    }
    case Step::kCommit:
      return dialect.ask_commit(task.call, object, task.round);
    case Step::kAbort:
    case Step::kUndoBegin:
      return dialect.ask_abort(task.call, object, task.round);
    case Step::kVerify:
    case Step::kVerifyLost:
      if (task.round > 0) return false;
      dialect.ask_head(task.call, object);
      return true;
    case Step::kFindLost:
      return (task.round == 0 || !task.page.next_key.empty()) &&
             dialect.ask_list_uploads(task.call, object.uri(), context_->root.key_of(object.name()), task.page);
    case Step::kAbortLost:
      return dialect.ask_abort_found(task.call, object, task.lost.back(), task.round);
    case Step::kRead:
      if (task.round > 0) return false;
      dialect.ask_read(task.call, object, operation.offset(), operation.buffer.first(operation.length()));
      return true;
  }
  return false;
}

void ObjectSession::refuse(Operation& operation, ErrorCode code, std::string why) {
  const auto& object = static_cast<const RemoteObject&>(*operation.object);
  finish(operation, Error{code, fmt::format("{} {}: {}", storage::op_name(operation.kind), object.uri(), why)});
}

// ---- waiting and ending

/// Returns whether what the task's request makes could appear, or stay, after everything was cleaned up.
bool ObjectSession::may_leave_something(const Task& task) const {
  if (task.step == Step::kUndoBegin) return true;
  if (client_->waits(task.call)) return false;
  if (task.step == Step::kBegin) return true;
  const bool writes = task.step == Step::kWrite || task.step == Step::kCommit;
  return writes && task.call.exchange.sent == task.call.body.size() &&
         context_->dialect->outlives_connection(task.call);
}

// Ends everything but cleaning up, after cancel(). A beginning under way may leave an upload behind whose id only its
// answer tells, so it gets a few seconds, and the upload is aborted at once. So does a write that the server has in
// full.
void ObjectSession::abandon() {
  const Nanos now = now_ns();
  if (grace_until_ns_ == 0) grace_until_ns_ = now + context_->settings.cancel_grace.count();
  for (Task& task : tasks_) {
    if (task.operation == nullptr || task.operation->kind == OpKind::kAbortWrite) continue;
    if (may_leave_something(task) && now < grace_until_ns_) continue;
    client_->drop(task.call);
    finish(task, storage::cancelled_error(storage::op_name(task.operation->kind), task.object->uri()));
  }
}

void ObjectSession::poll(std::chrono::nanoseconds timeout, std::vector<Operation*>& done) {
  const Nanos deadline = now_ns() + std::max<int64_t>(timeout.count(), 0);
  for (;;) {
    if (cancelled_.load()) abandon();
    Nanos left = ready_.empty() ? std::max<Nanos>(deadline - now_ns(), 0) : 0;
    // While a cancelled beginning has its seconds, wake often enough to see them end.
    if (cancelled_.load()) left = std::min<Nanos>(left, 100'000'000);
    finished_.clear();
    client_->poll(std::chrono::nanoseconds(left), finished_);
    for (Call* call : finished_) advance(*static_cast<Task*>(call->owner));
    if (!ready_.empty() || now_ns() >= deadline) break;
  }
  done.insert(done.end(), ready_.begin(), ready_.end());
  ready_.clear();
}

Result<std::unique_ptr<storage::Session>> make_session(std::shared_ptr<Context> context,
                                                       const TransferSettings& settings, unsigned depth,
                                                       unsigned ordinal) {
  if (depth == 0) return fail(ErrorCode::kInternal, "a session needs a depth of at least 1");
  auto client = Client::open(*context, settings, depth, ordinal);
  if (!client) return fail(std::move(client.error()));
  return std::make_unique<ObjectSession>(std::move(context), std::move(*client), depth);
}

}  // namespace mlps::object
