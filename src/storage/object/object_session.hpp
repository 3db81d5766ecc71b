#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/object/control.hpp"

namespace mlps::object {

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

/// The session of every object store: operations become steps, steps become calls, whose answers end them. One thread,
/// as all sessions.
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

}  // namespace mlps::object
