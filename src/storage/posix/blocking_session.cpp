#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "storage/outcome.hpp"
#include "storage/posix/local_store.hpp"
#include "storage/posix/transfer.hpp"

namespace mlps::storage::posix {
namespace {

class BlockingSession final : public LocalSession {
 public:
  explicit BlockingSession(const Tree& tree) : LocalSession(tree) {}

  void submit(Operation& operation) override {
    start_outcome(operation);
    if (cancelled_.load(std::memory_order_relaxed) && !is_cleanup(operation.kind)) {
      finish_outcome(operation, fail(cancelled_error(operation)));
    } else {
      finish_outcome(operation, run(operation));
    }
    ready_.push_back(&operation);
  }

  void poll(std::chrono::nanoseconds /*timeout*/, std::vector<Operation*>& done) override {
    done.insert(done.end(), ready_.begin(), ready_.end());
    ready_.clear();
  }

  void cancel() override { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  static Status run(Operation& operation) {
    auto& object = static_cast<LocalObject&>(*operation.object);
    switch (operation.kind) {
      case OpKind::kBeginWrite:
        return object.begin_write();
      case OpKind::kWritePart:
        return write_part(operation, object);
      case OpKind::kCommitWrite:
        return commit(object);
      case OpKind::kAbortWrite:
        return object.abort_write();
      case OpKind::kBeginRead:
        return object.begin_read();
      case OpKind::kReadPart:
      case OpKind::kReadRange:
        return read_part(operation, object);
      case OpKind::kEndRead:
        return object.end_read();
    }
    return fail(ErrorCode::kInternal, "unknown operation");
  }

  /// Moves the operation's part, aligned as the mode asks, until `transfer` says it is done.
  static Status move(Operation& operation, LocalObject& object, Transfer transfer) {
    const bool writing = operation.kind == OpKind::kWritePart;
    while (!transfer.is_done()) {
      std::byte* const data = operation.buffer.data() + transfer.begin();
      const auto offset = static_cast<off_t>(operation.offset() + transfer.begin());
      const ssize_t count = writing ? ::pwrite(object.fd(), data, transfer.count(), offset)
                                    : ::pread(object.fd(), data, transfer.count(), offset);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        return fail(io_error(object, errno,
                             fmt::format("{} {} at offset {}", writing ? "write" : "read", object.path(), offset)));
      }
      if (operation.first_byte_ns == 0 && !writing) operation.first_byte_ns = now_ns();
      if (!transfer.advance(static_cast<uint64_t>(count))) return fail(stuck_error(operation, object, transfer));
    }
    return {};
  }

  static Status write_part(Operation& operation, LocalObject& object) {
    if (Status legal = check_buffer(operation, object); !legal) return legal;
    const uint64_t length = operation.buffer.size();
    const uint64_t padded = round_up(length, object.mode().alignment);
    if (padded != length) std::memset(operation.buffer.data() + length, 0, padded - length);
    Status written = move(operation, object, Transfer::of_write(length, object.mode().alignment));
    if (!written) return written;
    object.count_written(length);
    operation.bytes = length;
    if (object.mode().fadvise == FadviseMode::kDontNeed && length != 0) {
      // Write-back begins while the next part is prepared, so that little is left for the fsync at commit. Not
      // every file system has this call, and none depends on it.
      ::sync_file_range(object.fd(), static_cast<off_t>(operation.offset()), static_cast<off_t>(length),
                        SYNC_FILE_RANGE_WRITE);
    }
    return {};
  }

  static Status read_part(Operation& operation, LocalObject& object) {
    if (Status legal = check_buffer(operation, object); !legal) return legal;
    const uint64_t length = operation.length();
    Status read = move(operation, object, Transfer::of_read(length, object.mode().alignment));
    if (!read) return read;
    operation.bytes = length;
    if (object.mode().fadvise == FadviseMode::kDontNeed && length != 0) {
      ::posix_fadvise(object.fd(), static_cast<off_t>(operation.offset()), static_cast<off_t>(length),
                      POSIX_FADV_DONTNEED);
    }
    return {};
  }

  static Status commit(LocalObject& object) {
    if (Status prepared = object.prepare_commit(); !prepared) return prepared;
    const bool durable = object.mode().durability == Durability::kEachObject;
    if (durable && ::fsync(object.fd()) != 0) return fail(errno_error(errno, fmt::format("fsync {}", object.path())));
    if (Status finished = object.finish_commit(); !finished) return finished;
    return durable ? sync_parent(object.path()) : Status{};
  }

  std::vector<Operation*> ready_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

std::unique_ptr<Session> make_blocking_session(const Tree& tree) {
  return std::make_unique<BlockingSession>(tree);
}

}  // namespace mlps::storage::posix
