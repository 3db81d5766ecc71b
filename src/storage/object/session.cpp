#include "storage/object/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/units.hpp"
#include "storage/object/control.hpp"
#include "storage/object/errors.hpp"
#include "storage/outcome.hpp"

namespace mlps::object {
namespace {

using storage::Operation;
using storage::OpKind;

/// What an operation that is under way asks for now; each may take several requests. Most operations are one of these;
/// a commit is kCommit and then kVerify.
enum class Step : uint8_t {
  kBegin,
  kWrite,
  kCommit,
  kVerify,
  kVerifyLost,  ///< the commit failed after a lost answer: HEAD decides
  kAbort,
  kUndoBegin,  ///< the upload was begun while the session was being cancelled
  kFindLost,   ///< an answer to the beginning was lost or unreadable: is there an upload that nobody knows?
  kAbortLost,  ///< such an upload
  kRead
};

/// One operation under way and the call that serves it.
struct Task {
  Call call;
  Operation* operation = nullptr;
  RemoteObject* object = nullptr;
  Step step = Step::kRead;
  unsigned round = 0;                // requests of this step before the present one
  std::optional<Error> first_error;  // of a commit whose outcome HEAD decides, or of the beginning
  UploadsPage page;                  // of the list in which they are looked for
  std::vector<std::string> lost;     // ids of uploads that nobody knows
  bool answer_lost = false;          // of the beginning
  unsigned retries = 0;              // of the steps before this one
  uint64_t retried_bytes = 0;
};

/// Returns the error of a server that has acknowledged what it doesn't have.
Error lost_object(std::string message, std::string details) {
  return {ErrorCode::kDataMismatch, std::move(message), std::move(details),
          "The server acknowledged data that it doesn't have; don't trust it with this load."};
}

class ObjectSession final : public Control {
 public:
  ObjectSession(std::shared_ptr<Context> context, std::unique_ptr<Client> client, unsigned depth)
      : Control(std::move(context), std::move(client)), tasks_(depth) {
    for (Task& task : tasks_) {
      task.call.owner = &task;
      free_.push_back(&task);
    }
  }
  ~ObjectSession() override { client_.reset(); }  // its requests point into tasks_

  void submit(Operation& operation) override;
  void poll(std::chrono::nanoseconds timeout, std::vector<Operation*>& done) override;

 private:
  void begin_write(Operation& operation, RemoteObject& object);
  void write_part(Operation& operation, RemoteObject& object);
  void commit_write(Operation& operation, RemoteObject& object);
  void abort_write(Operation& operation, RemoteObject& object);
  void read_part(Operation& operation, RemoteObject& object);

  Task* task_for(Operation& operation, RemoteObject& object);
  void start(Task& task, Step step);
  void proceed(Task& task);
  bool ask(Task& task);
  Status take(Task& task);
  void advance(Task& task);
  void step_done(Task& task);
  void step_failed(Task& task);
  void verified(Task& task);
  void read_done(Task& task);
  Status take_lost(Task& task);
  void finish(Task& task, std::optional<Error> error);
  void finish(Operation& operation, std::optional<Error> error);
  void refuse(Operation& operation, ErrorCode code, std::string why);
  bool may_leave_something(const Task& task) const;
  void abandon();

  std::vector<Task> tasks_;
  std::vector<Task*> free_;
  std::vector<Operation*> ready_;
  std::vector<Call*> finished_;
  Nanos grace_until_ns_ = 0;
};

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
    case Step::kWrite:
      return dialect.ask_part(task.call, object, operation.part, operation.buffer, task.round);
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

// ---- answers

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

void ObjectSession::refuse(Operation& operation, ErrorCode code, std::string why) {
  const auto& object = static_cast<const RemoteObject&>(*operation.object);
  finish(operation, Error{code, fmt::format("{} {}: {}", storage::op_name(operation.kind), object.uri(), why)});
}

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

}  // namespace

Result<std::unique_ptr<storage::Session>> make_session(std::shared_ptr<Context> context,
                                                       const TransferSettings& settings, unsigned depth,
                                                       unsigned ordinal) {
  if (depth == 0) return fail(ErrorCode::kInternal, "a session needs a depth of at least 1");
  auto client = Client::open(*context, settings, depth, ordinal);
  if (!client) return fail(std::move(client.error()));
  return std::make_unique<ObjectSession>(std::move(context), std::move(*client), depth);
}

}  // namespace mlps::object
