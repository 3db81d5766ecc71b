#include "storage/s3/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "storage/outcome.hpp"
#include "storage/s3/control.hpp"
#include "storage/s3/encoding.hpp"
#include "storage/s3/requests.hpp"
#include "storage/s3/verify.hpp"

namespace mlps::s3 {
namespace {

using storage::Operation;
using storage::OpKind;

/// The request of an operation that is under way. Most operations are one request; a commit is Complete and then HEAD.
enum class Step : uint8_t {
  kCreate,
  kWrite,
  kComplete,
  kVerify,
  kVerifyLost,  ///< Complete failed after a lost answer: HEAD decides
  kAbort,
  kUndoCreate,  ///< the upload was created while the session was being cancelled
  kDelete,
  kRead
};

/// One operation under way and the call that serves it.
struct Task {
  Call call;
  Operation* operation = nullptr;
  S3Object* object = nullptr;
  Step step = Step::kRead;
  std::string text;                  // request body of Complete
  std::optional<Error> first_error;  // of a Complete whose outcome HEAD decides
  unsigned retries = 0;              // of the steps before this one
  uint64_t retried_bytes = 0;
};

class S3Session final : public Control {
 public:
  S3Session(std::shared_ptr<Context> context, std::unique_ptr<Client> client, unsigned depth)
      : Control(std::move(context), std::move(client)), tasks_(depth) {
    for (Task& task : tasks_) {
      task.call.owner = &task;
      free_.push_back(&task);
    }
  }
  ~S3Session() override { client_.reset(); }  // its requests point into tasks_

  void submit(Operation& operation) override;
  void poll(std::chrono::nanoseconds timeout, std::vector<Operation*>& done) override;

 private:
  void begin_write(Operation& operation, S3Object& object);
  void write_part(Operation& operation, S3Object& object);
  void commit_write(Operation& operation, S3Object& object);
  void abort_write(Operation& operation, S3Object& object);
  void read_part(Operation& operation, S3Object& object);

  Task* task_for(Operation& operation, S3Object& object);
  Call& next_call(Task& task, Step step);
  void start(Task& task);
  void start_head(Task& task, Step step);
  void start_abort(Task& task, Step step);
  void advance(Task& task);
  void created(Task& task);
  void completed(Task& task);
  void verified(Task& task);
  void part_stored(Task& task);
  void aborted(Task& task);
  void read_done(Task& task);
  void finish(Task& task, std::optional<Error> error);
  void finish(Operation& operation, std::optional<Error> error);
  void refuse(Operation& operation, ErrorCode code, std::string why);
  void abandon();

  std::vector<Task> tasks_;
  std::vector<Task*> free_;
  std::vector<Operation*> ready_;
  std::vector<Call*> finished_;
  Nanos grace_until_ns_ = 0;
};

// ---- requests

void S3Session::submit(Operation& operation) {
  storage::start_outcome(operation);
  auto& object = static_cast<S3Object&>(*operation.object);
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

void S3Session::begin_write(Operation& operation, S3Object& object) {
  if (object.part_count() > kMaxParts) {
    return refuse(operation, ErrorCode::kConfigInvalid,
                  fmt::format("{} bytes don't fit into {} parts of 5 GiB", object.size_bytes(), kMaxParts));
  }
  object.parts.assign(object.part_count(), {});
  if (object.single()) return finish(operation, std::nullopt);
  Task* task = task_for(operation, object);
  if (task == nullptr) return;
  ask_create(next_call(*task, Step::kCreate), object);
  start(*task);
}

void S3Session::write_part(Operation& operation, S3Object& object) {
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
  ask_write(next_call(*task, Step::kWrite), object, operation.part, operation.buffer, context_->settings);
  start(*task);
}

void S3Session::commit_write(Operation& operation, S3Object& object) {
  // A single PUT needs no ETag, since nothing will list it.
  const auto written = [&](const StoredPart& part) {
    return object.single() ? object.maybe_stored.load() : !part.etag.empty();
  };
  const auto missing = std::find_if_not(object.parts.begin(), object.parts.end(), written);
  if (object.parts.empty() || missing != object.parts.end()) {
    return refuse(operation, ErrorCode::kInternal,
                  fmt::format("part {} was not written", missing - object.parts.begin() + 1));
  }
  Task* task = task_for(operation, object);
  if (task == nullptr) return;
  if (object.single()) return start_head(*task, Step::kVerify);

  ask_complete(next_call(*task, Step::kComplete), object, task->text);
  object.complete_sent = true;
  start(*task);
}

void S3Session::abort_write(Operation& operation, S3Object& object) {
  const bool upload_open = !object.upload_id.empty() && !object.completed;
  const bool stored = object.completed || (object.single() && object.maybe_stored.load());
  if (!upload_open && !stored) return finish(operation, std::nullopt);
  Task* task = task_for(operation, object);
  if (task == nullptr) return;
  if (upload_open) return start_abort(*task, Step::kAbort);
  ask_delete(next_call(*task, Step::kDelete), object);
  start(*task);
}

void S3Session::read_part(Operation& operation, S3Object& object) {
  if (!operation.is_inside() || operation.buffer.size() < operation.length()) {
    return refuse(operation, ErrorCode::kInternal, "what is asked for doesn't exist or doesn't fit the buffer");
  }
  Task* task = task_for(operation, object);
  if (task == nullptr) return;
  ask_read(next_call(*task, Step::kRead), object, operation.offset(), operation.buffer.first(operation.length()));
  start(*task);
}

Task* S3Session::task_for(Operation& operation, S3Object& object) {
  if (free_.empty()) {
    refuse(operation, ErrorCode::kInternal, fmt::format("more than {} operations in flight", tasks_.size()));
    return nullptr;
  }
  Task* task = free_.back();
  free_.pop_back();
  task->operation = &operation;
  task->object = &object;
  task->first_error.reset();
  task->retries = 0;
  task->retried_bytes = 0;
  task->call.retries = 0;
  task->call.retried_bytes = 0;
  return task;
}

Call& S3Session::next_call(Task& task, Step step) {
  task.retries += task.call.retries;
  task.retried_bytes += task.call.retried_bytes;
  task.step = step;
  return task.call;
}

void S3Session::start(Task& task) {
  // Only cleaning up still runs once the run is being stopped, and it must not delay the exit.
  if (cancelled_.load()) task.call.deadline_ns = now_ns() + context_->settings.cancel_grace.count();
  client_->begin(task.call);
}

void S3Session::start_head(Task& task, Step step) {
  ask_head(next_call(task, step), *task.object);
  start(task);
}

void S3Session::start_abort(Task& task, Step step) {
  ask_abort(next_call(task, step), *task.object);
  start(task);
}

// ---- answers

void S3Session::advance(Task& task) {
  std::optional<Error>& error = task.call.error;
  switch (task.step) {
    case Step::kCreate:
      return created(task);
    case Step::kWrite:
      return part_stored(task);
    case Step::kComplete:
      return completed(task);
    case Step::kVerify:
    case Step::kVerifyLost:
      return verified(task);
    case Step::kAbort:
      return aborted(task);
    case Step::kUndoCreate:
      task.object->upload_id.clear();
      return finish(task, storage::cancelled_error("CreateMultipartUpload", task.object->uri()));
    case Step::kDelete:
      return finish(task, std::move(error));
    case Step::kRead:
      return read_done(task);
  }
}

void S3Session::created(Task& task) {
  if (task.call.error) return finish(task, std::move(task.call.error));
  auto id = parse_upload_id(task.call.exchange.text);
  if (!id) {
    return finish(task, Error{id.error().code,
                              fmt::format("CreateMultipartUpload {}: {}", task.object->uri(), id.error().message)});
  }
  append_encoded_query(task.object->upload_id, *id);
  task.object->upload_created = parse_http_date(task.call.exchange.header("date").value_or(""));
  if (cancelled_.load()) return start_abort(task, Step::kUndoCreate);
  finish(task, std::nullopt);
}

void S3Session::part_stored(Task& task) {
  if (task.call.error) {
    // The server refused it explicitly: there is nothing to undo.
    const int status = task.call.exchange.status;
    if (status >= 400 && status < 500 && !task.call.answer_lost) {
      task.object->maybe_stored.store(false);
    }
    return finish(task, std::move(task.call.error));
  }
  StoredPart& part = task.object->parts[task.operation->part];
  part.etag = task.call.exchange.header("etag").value_or("");
  const auto kept = task.call.exchange.header("x-amz-checksum-crc32c");
  part.checksum_kept = kept && !task.call.checksum.empty() && *kept == task.call.checksum;
  task.operation->bytes = task.operation->buffer.size();
  finish(task, std::nullopt);
}

void S3Session::completed(Task& task) {
  if (!task.call.error) {
    task.object->completed = true;
    return start_head(task, Step::kVerify);
  }
  // A repeated Complete finds no upload any more (or, at Ceph RGW, an internal error) when the first one had worked.
  const bool undecided = task.call.answer_lost || task.call.server_code == "InternalError";
  if (!undecided) return finish(task, std::move(task.call.error));
  task.first_error = std::move(task.call.error);
  start_head(task, Step::kVerifyLost);
}

void S3Session::verified(Task& task) {
  Call& call = task.call;
  if (task.step == Step::kVerifyLost) {
    if (call.error || !is_this_upload(*task.object, call.exchange)) return finish(task, std::move(task.first_error));
    task.object->completed = true;
  }
  if (call.error && call.error->code == ErrorCode::kStorageNotFound) {
    return finish(
        task, Error{ErrorCode::kDataMismatch, fmt::format("{} was acknowledged but is not there", task.object->uri()),
                    call.error->message,
                    "The server acknowledged data that it doesn't have; don't trust it with this load."});
  }
  if (call.error) return finish(task, std::move(call.error));
  finish(task, check_stored(*task.object, call.exchange, context_->settings.checksum));
}

void S3Session::aborted(Task& task) {
  if (task.call.error) return finish(task, std::move(task.call.error));
  const bool was_gone = task.call.exchange.status == 404;
  task.object->upload_id.clear();
  // An upload that is gone after Complete was sent has become the object, and it isn't wanted.
  if (!was_gone || !task.object->complete_sent) return finish(task, std::nullopt);
  ask_delete(next_call(task, Step::kDelete), *task.object);
  start(task);
}

void S3Session::read_done(Task& task) {
  Call& call = task.call;
  if (call.error) return finish(task, std::move(call.error));
  task.object->pin_etag(call.exchange.header("etag").value_or(""));
  task.operation->bytes = call.exchange.received;
  task.operation->first_byte_ns = call.exchange.first_byte_ns;
  finish(task, std::nullopt);
}

void S3Session::finish(Task& task, std::optional<Error> error) {
  Operation& operation = *task.operation;
  operation.attempts = 1 + task.retries + task.call.retries;
  operation.retried_bytes = task.retried_bytes + task.call.retried_bytes;
  task.operation = nullptr;
  task.object = nullptr;
  free_.push_back(&task);
  finish(operation, std::move(error));
}

void S3Session::finish(Operation& operation, std::optional<Error> error) {
  storage::finish_outcome(operation, error ? Status(fail(std::move(*error))) : Status{});
  ready_.push_back(&operation);
}

void S3Session::refuse(Operation& operation, ErrorCode code, std::string why) {
  const auto& object = static_cast<const S3Object&>(*operation.object);
  finish(operation, Error{code, fmt::format("{} {}: {}", storage::op_name(operation.kind), object.uri(), why)});
}

// Ends everything but cleaning up, after cancel(). A Create under way may leave an upload behind whose id only its
// answer tells, so it gets a few seconds, and the upload is aborted at once.
void S3Session::abandon() {
  const Nanos now = now_ns();
  if (grace_until_ns_ == 0) grace_until_ns_ = now + context_->settings.cancel_grace.count();
  for (Task& task : tasks_) {
    if (task.operation == nullptr || task.operation->kind == OpKind::kAbortWrite) continue;
    const bool cleaning = task.step == Step::kUndoCreate || (task.step == Step::kCreate && !client_->waits(task.call));
    if (cleaning && now < grace_until_ns_) continue;
    client_->drop(task.call);
    finish(task, storage::cancelled_error(storage::op_name(task.operation->kind), task.object->uri()));
  }
}

void S3Session::poll(std::chrono::nanoseconds timeout, std::vector<Operation*>& done) {
  const Nanos deadline = now_ns() + std::max<int64_t>(timeout.count(), 0);
  for (;;) {
    if (cancelled_.load()) abandon();
    Nanos left = ready_.empty() ? std::max<Nanos>(deadline - now_ns(), 0) : 0;
    // While a cancelled Create has its seconds, wake often enough to see them end.
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

Result<std::unique_ptr<storage::Session>> make_session(std::shared_ptr<Context> context, unsigned depth,
                                                       unsigned ordinal) {
  if (depth == 0) return fail(ErrorCode::kInternal, "a session needs a depth of at least 1");
  auto client = Client::open(*context, depth, ordinal);
  if (!client) return fail(std::move(client.error()));
  return std::make_unique<S3Session>(std::move(context), std::move(*client), depth);
}

}  // namespace mlps::s3
