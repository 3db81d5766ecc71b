#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "storage/outcome.hpp"
#include "storage/posix/local_session.hpp"
#include "storage/posix/ring.hpp"

namespace mlps::storage::posix {
namespace {

using std::chrono::nanoseconds;

/// The time within which a waiting poll() notices a cancel() from another thread.
constexpr nanoseconds kCancelLatency = std::chrono::milliseconds(50);
/// The limit for repetitions after EAGAIN and EINTR, which are no failures of the storage but must not go on for ever.
constexpr unsigned kMaxAttempts = 64;
constexpr uint64_t kNoRequest = ~uint64_t{0};

/// An operation whose request the kernel has.
struct Request {
  enum class Stage { kMove, kSyncFile, kSyncFolder };
  Operation* operation = nullptr;
  Stage stage = Stage::kMove;
  std::optional<Transfer> transfer;  ///< kMove
  Descriptor folder;                 ///< kSyncFolder

  LocalObject& object() const { return static_cast<LocalObject&>(*operation->object); }
};

class RingSession final : public LocalSession {
 public:
  RingSession(const Tree& tree, unsigned depth) : LocalSession(tree), requests_(std::max(depth, 1U)) {
    for (size_t i = 0; i < requests_.size(); ++i) free_.push_back(requests_.size() - 1 - i);
  }

  /// The kernel writes to the callers' buffers until the last request has come back, so this waits for it.
  ~RingSession() override {
    cancel();
    while (in_flight() != 0) wait_and_reap(kCancelLatency);
  }

  Status open() { return ring_.open(static_cast<unsigned>(requests_.size()) + 1); }

  void poll(nanoseconds timeout, std::vector<Operation*>& done) override {
    const Nanos deadline = now_ns() + timeout.count();
    reap();
    while (!has_ready() && in_flight() != 0) {
      const nanoseconds left{std::max<Nanos>(deadline - now_ns(), 0)};
      wait_and_reap(std::min(left, kCancelLatency));
      if (left.count() == 0) break;
    }
    take_ready(done);
  }

 private:
  size_t in_flight() const { return requests_.size() - free_.size(); }

  void start_move(Operation& operation, Transfer transfer) override {
    start(operation, Request::Stage::kMove, transfer);
  }
  void start_sync(Operation& operation) override { start(operation, Request::Stage::kSyncFile, std::nullopt); }

  /// Completes the operation with an error if the caller exceeds the depth it asked for.
  void start(Operation& operation, Request::Stage stage, std::optional<Transfer> transfer) {
    if (free_.empty()) {
      return complete(operation,
                      fail(ErrorCode::kInternal, fmt::format("more than {} operations in flight", requests_.size())));
    }
    Request& request = requests_[free_.back()];
    free_.pop_back();
    request.operation = &operation;
    request.stage = stage;
    request.transfer = transfer;
    queue(request);
  }

  /// Gives the request's place back and returns its operation, which is to be completed.
  Operation& release(Request& request) {
    request.folder.close();
    free_.push_back(static_cast<size_t>(&request - requests_.data()));
    return *std::exchange(request.operation, nullptr);
  }

  void end(Request& request, Status status) { complete(release(request), std::move(status)); }

  /// Hands what the request wants next to the kernel. What the kernel doesn't take now goes with the next wait.
  void queue(Request& request) {
    if (ring_.add(static_cast<uint64_t>(&request - requests_.data()),
                  [&](io_uring_sqe* entry) { prepare(request, entry); })) {
      ring_.submit();
      return drop_refused();
    }
    end(request, fail(*ring_.refusal()));
  }

  static void prepare(const Request& request, io_uring_sqe* entry) {
    const LocalObject& object = request.object();
    switch (request.stage) {
      case Request::Stage::kMove: {
        const uint64_t begin = request.transfer->begin();
        std::byte* const data = request.operation->buffer.data() + begin;
        const auto count = static_cast<unsigned>(request.transfer->count());
        const uint64_t offset = request.operation->offset() + begin;
        if (request.operation->kind == OpKind::kWritePart)
          return io_uring_prep_write(entry, object.fd(), data, count, offset);
        return io_uring_prep_read(entry, object.fd(), data, count, offset);
      }
      case Request::Stage::kSyncFile:
        return io_uring_prep_fsync(entry, object.fd(), 0);
      case Request::Stage::kSyncFolder:
        return io_uring_prep_fsync(entry, request.folder.get(), 0);
    }
  }

  /// Fails the operations whose requests the kernel has refused to take.
  void drop_refused() {
    for (const uint64_t index : ring_.take_refused()) {
      if (index < requests_.size()) end(requests_[index], fail(*ring_.refusal()));
    }
  }

  /// Sleeps until a completion is there or the time is over; asks the kernel once to give up what it can when the
  /// session was cancelled (requests at the device end by themselves).
  void wait_and_reap(nanoseconds timeout) {
    if (cancelled() && !cancel_sent_) {
      cancel_sent_ = true;
      ring_.add(kNoRequest, [](io_uring_sqe* entry) { io_uring_prep_cancel(entry, nullptr, IORING_ASYNC_CANCEL_ANY); });
    }
    ring_.wait(timeout);
    drop_refused();
    reap();
  }

  void reap() {
    ring_.reap([this](uint64_t index, int result) {
      if (index < requests_.size()) advance(requests_[index], result);
    });
  }

  void advance(Request& request, int result) {
    if (cancelled()) return end(request, fail(cancelled_error(*request.operation)));
    if ((result == -EAGAIN || result == -EINTR) && request.operation->attempts < kMaxAttempts) {
      ++request.operation->attempts;
      return queue(request);
    }
    switch (request.stage) {
      case Request::Stage::kMove:
        return advance_move(request, result);
      case Request::Stage::kSyncFile:
        return advance_commit(request, result);
      case Request::Stage::kSyncFolder:
        if (result < 0 && !is_unsupported_folder_sync(-result)) {
          return end(request,
                     fail(errno_error(-result, fmt::format("fsync the folder of {}", request.object().path()))));
        }
        return end(request, {});
    }
  }

  void advance_move(Request& request, int result) {
    Operation& operation = *request.operation;
    if (result < 0) return end(request, fail(move_error(operation, *request.transfer, -result)));
    if (operation.reads_body() && operation.first_byte_ns == 0) operation.first_byte_ns = now_ns();
    if (!request.transfer->advance(static_cast<uint64_t>(result))) {
      return end(request, fail(stuck_error(operation, *request.transfer)));
    }
    if (!request.transfer->is_done()) return queue(request);
    complete_move(release(request));
  }

  void advance_commit(Request& request, int result) {
    LocalObject& object = request.object();
    if (result < 0) return end(request, fail(errno_error(-result, fmt::format("fsync {}", object.path()))));
    if (Status finished = object.finish_commit(); !finished) return end(request, std::move(finished));
    Result<Descriptor> folder = open_parent(object.path());
    if (!folder) return end(request, fail(std::move(folder.error())));
    request.folder = std::move(*folder);
    request.stage = Request::Stage::kSyncFolder;
    queue(request);
  }

  Ring ring_;
  bool cancel_sent_ = false;
  std::vector<Request> requests_;
  std::vector<size_t> free_;
};

}  // namespace

Result<std::unique_ptr<Session>> make_ring_session(const Tree& tree, unsigned depth) {
  auto session = std::make_unique<RingSession>(tree, depth);
  if (Status opened = session->open(); !opened) return fail(std::move(opened.error()));
  return session;
}

}  // namespace mlps::storage::posix
