#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>

#include "storage/outcome.hpp"
#include "storage/posix/local_store.hpp"
#include "storage/posix/ring.hpp"
#include "storage/posix/transfer.hpp"

namespace mlps::storage::posix {
namespace {

using std::chrono::nanoseconds;

/// The time within which a waiting poll() notices a cancel() from another thread.
constexpr nanoseconds kCancelLatency = std::chrono::milliseconds(50);
/// The limit for repetitions after EAGAIN and EINTR, which are no failures of the storage but must not go on for ever.
constexpr unsigned kMaxAttempts = 64;
constexpr uint64_t kNoSlot = ~uint64_t{0};

/// An operation whose request the kernel has.
struct Slot {
  enum class Stage { kMove, kSyncFile, kSyncFolder };
  Operation* operation = nullptr;
  Stage stage = Stage::kMove;
  std::optional<Transfer> transfer;  ///< kMove
  Descriptor folder;                 ///< kSyncFolder

  LocalObject& object() const { return static_cast<LocalObject&>(*operation->object); }
};

class RingSession final : public LocalSession {
 public:
  RingSession(const Tree& tree, unsigned depth) : LocalSession(tree), slots_(std::max(depth, 1U)) {
    ready_.reserve(slots_.size());
    for (size_t i = 0; i < slots_.size(); ++i) free_.push_back(slots_.size() - 1 - i);
  }

  /// The kernel writes to the callers' buffers until the last request has come back, so this waits for it.
  ~RingSession() override {
    cancel();
    while (in_flight() != 0) wait_and_reap(kCancelLatency);
  }

  Status open() { return ring_.open(static_cast<unsigned>(slots_.size()) + 1); }

  void submit(Operation& operation) override {
    start_outcome(operation);
    if (cancelled_.load(std::memory_order_relaxed) && !is_cleanup(operation.kind)) {
      return complete(operation, fail(cancelled_error(operation)));
    }
    auto& object = static_cast<LocalObject&>(*operation.object);
    switch (operation.kind) {
      case OpKind::kBeginWrite:
        return complete(operation, object.begin_write());
      case OpKind::kAbortWrite:
        return complete(operation, object.abort_write());
      case OpKind::kBeginRead:
        return complete(operation, object.begin_read());
      case OpKind::kEndRead:
        return complete(operation, object.end_read());
      case OpKind::kWritePart:
      case OpKind::kReadPart:
      case OpKind::kReadRange:
        return start_move(operation, object);
      case OpKind::kCommitWrite:
        return start_commit(operation, object);
    }
  }

  void poll(nanoseconds timeout, std::vector<Operation*>& done) override {
    const Nanos deadline = now_ns() + timeout.count();
    reap();
    while (ready_.empty() && in_flight() != 0) {
      const nanoseconds left{std::max<Nanos>(deadline - now_ns(), 0)};
      wait_and_reap(std::min(left, kCancelLatency));
      if (left.count() == 0) break;
    }
    done.insert(done.end(), ready_.begin(), ready_.end());
    ready_.clear();
  }

  void cancel() override { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  size_t in_flight() const { return slots_.size() - free_.size(); }

  void complete(Operation& operation, Status status) {
    finish_outcome(operation, std::move(status));
    ready_.push_back(&operation);
  }

  /// Returns null, and completes the operation with an error, if the caller exceeds the depth it asked for.
  Slot* take_slot(Operation& operation, Slot::Stage stage) {
    if (free_.empty()) {
      complete(operation, fail(ErrorCode::kInternal, fmt::format("more than {} operations in flight", slots_.size())));
      return nullptr;
    }
    Slot& slot = slots_[free_.back()];
    free_.pop_back();
    slot.operation = &operation;
    slot.stage = stage;
    return &slot;
  }

  void release(Slot& slot, Status status) {
    Operation& operation = *slot.operation;
    slot.operation = nullptr;
    slot.folder.close();
    free_.push_back(static_cast<size_t>(&slot - slots_.data()));
    complete(operation, std::move(status));
  }

  void start_move(Operation& operation, LocalObject& object) {
    if (Status legal = check_buffer(operation, object); !legal) return complete(operation, std::move(legal));
    const uint64_t length = operation.length();
    if (length == 0) return complete(operation, {});
    Slot* const slot = take_slot(operation, Slot::Stage::kMove);
    if (slot == nullptr) return;
    const size_t alignment = object.mode().alignment;
    if (operation.reads_body()) {
      slot->transfer = Transfer::of_read(length, alignment);
    } else {
      std::memset(operation.buffer.data() + length, 0, round_up(length, alignment) - length);
      slot->transfer = Transfer::of_write(length, alignment);
    }
    queue(*slot);
  }

  void start_commit(Operation& operation, LocalObject& object) {
    if (Status prepared = object.prepare_commit(); !prepared) return complete(operation, std::move(prepared));
    if (object.mode().durability == Durability::kOnFlush) return complete(operation, object.finish_commit());
    if (Slot* const slot = take_slot(operation, Slot::Stage::kSyncFile); slot != nullptr) queue(*slot);
  }

  /// Hands the slot's next request to the kernel. What the kernel doesn't take now goes with the next wait.
  void queue(Slot& slot) {
    if (ring_.add(static_cast<uint64_t>(&slot - slots_.data()), [&](io_uring_sqe* entry) { prepare(slot, entry); })) {
      ring_.submit();
      return drop_refused();
    }
    release(slot, fail(*ring_.refusal()));
  }

  static void prepare(const Slot& slot, io_uring_sqe* entry) {
    const LocalObject& object = slot.object();
    switch (slot.stage) {
      case Slot::Stage::kMove: {
        const uint64_t begin = slot.transfer->begin();
        std::byte* const data = slot.operation->buffer.data() + begin;
        const auto count = static_cast<unsigned>(slot.transfer->count());
        const uint64_t offset = slot.operation->offset() + begin;
        if (slot.operation->kind == OpKind::kWritePart)
          return io_uring_prep_write(entry, object.fd(), data, count, offset);
        return io_uring_prep_read(entry, object.fd(), data, count, offset);
      }
      case Slot::Stage::kSyncFile:
        return io_uring_prep_fsync(entry, object.fd(), 0);
      case Slot::Stage::kSyncFolder:
        return io_uring_prep_fsync(entry, slot.folder.get(), 0);
    }
  }

  /// Fails the operations whose requests the kernel has refused to take.
  void drop_refused() {
    for (const uint64_t index : ring_.take_refused()) {
      if (index < slots_.size()) release(slots_[index], fail(*ring_.refusal()));
    }
  }

  /// Sleeps until a completion is there or the time is over; asks the kernel once to give up what it can when the
  /// session was cancelled (requests at the device end by themselves).
  void wait_and_reap(nanoseconds timeout) {
    if (cancelled_.load(std::memory_order_relaxed) && !cancel_sent_) {
      cancel_sent_ = true;
      ring_.add(kNoSlot, [](io_uring_sqe* entry) { io_uring_prep_cancel(entry, nullptr, IORING_ASYNC_CANCEL_ANY); });
    }
    ring_.wait(timeout);
    drop_refused();
    reap();
  }

  void reap() {
    ring_.reap([this](uint64_t index, int result) {
      if (index < slots_.size()) advance(slots_[index], result);
    });
  }

  void advance(Slot& slot, int result) {
    if (cancelled_.load(std::memory_order_relaxed)) return release(slot, fail(cancelled_error(*slot.operation)));
    if ((result == -EAGAIN || result == -EINTR) && slot.operation->attempts < kMaxAttempts) {
      ++slot.operation->attempts;
      return queue(slot);
    }
    switch (slot.stage) {
      case Slot::Stage::kMove:
        return advance_move(slot, result);
      case Slot::Stage::kSyncFile:
        return advance_commit(slot, result);
      case Slot::Stage::kSyncFolder:
        if (result < 0 && !is_unsupported_folder_sync(-result)) {
          return release(slot, fail(errno_error(-result, fmt::format("fsync the folder of {}", slot.object().path()))));
        }
        return release(slot, {});
    }
  }

  void advance_move(Slot& slot, int result) {
    Operation& operation = *slot.operation;
    LocalObject& object = slot.object();
    const bool writing = operation.kind == OpKind::kWritePart;
    if (result < 0) {
      const uint64_t offset = operation.offset() + slot.transfer->begin();
      return release(
          slot, fail(io_error(object, -result,
                              fmt::format("{} {} at offset {}", writing ? "write" : "read", object.path(), offset))));
    }
    if (!writing && operation.first_byte_ns == 0) operation.first_byte_ns = now_ns();
    if (!slot.transfer->advance(static_cast<uint64_t>(result))) {
      return release(slot, fail(stuck_error(operation, object, *slot.transfer)));
    }
    if (!slot.transfer->is_done()) return queue(slot);
    operation.bytes = operation.length();
    if (writing) object.count_written(operation.bytes);
    release(slot, {});
  }

  void advance_commit(Slot& slot, int result) {
    LocalObject& object = slot.object();
    if (result < 0) return release(slot, fail(errno_error(-result, fmt::format("fsync {}", object.path()))));
    if (Status finished = object.finish_commit(); !finished) return release(slot, std::move(finished));
    Result<Descriptor> folder = open_parent(object.path());
    if (!folder) return release(slot, fail(std::move(folder.error())));
    slot.folder = std::move(*folder);
    slot.stage = Slot::Stage::kSyncFolder;
    queue(slot);
  }

  Ring ring_;
  bool cancel_sent_ = false;
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
  std::vector<Operation*> ready_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

Result<std::unique_ptr<Session>> make_ring_session(const Tree& tree, unsigned depth) {
  auto session = std::make_unique<RingSession>(tree, depth);
  if (Status opened = session->open(); !opened) return fail(std::move(opened.error()));
  return session;
}

}  // namespace mlps::storage::posix
