#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/posix/local_session.hpp"

namespace mlps::storage::posix {
namespace {

/// The most that one pread of a buffered file asks for: while one piece is copied, the kernel reads the next ones
/// ahead, where it would wait for all of a large request and copy then.
constexpr uint64_t kReadPiece = kMiB;

class BlockingSession final : public LocalSession {
 public:
  using LocalSession::LocalSession;

  void poll(std::chrono::nanoseconds /*timeout*/, std::vector<Operation*>& done) override { take_ready(done); }

 private:
  void start_move(Operation& operation, Transfer transfer) override {
    if (Status moved = move(operation, transfer); !moved) return complete(operation, std::move(moved));
    if (object_of(operation).mode().fadvise == FadviseMode::kDontNeed) advise(operation);
    complete_move(operation);
  }

  static Status move(Operation& operation, Transfer& transfer) {
    const LocalObject& object = object_of(operation);
    const bool writing = operation.writes_body();
    const uint64_t most = writing || object.mode().direct ? kGiB : kReadPiece;
    while (!transfer.is_done()) {
      std::byte* const data = operation.buffer.data() + transfer.begin();
      const auto offset = static_cast<off_t>(operation.offset() + transfer.begin());
      const uint64_t bytes = std::min(transfer.count(), most);
      const ssize_t count =
          writing ? ::pwrite(object.fd(), data, bytes, offset) : ::pread(object.fd(), data, bytes, offset);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(move_error(operation, transfer, errno));
      if (operation.first_byte_ns == 0 && !writing) operation.first_byte_ns = now_ns();
      if (!transfer.advance(static_cast<uint64_t>(count))) return fail(stuck_error(operation, transfer));
    }
    return {};
  }

  /// Write-back begins while the next part is prepared, so that little is left for the fsync at commit (not every file
  /// system has this call, and none depends on it); pages that were read are not needed again.
  static void advise(const Operation& operation) {
    const auto offset = static_cast<off_t>(operation.offset());
    const auto length = static_cast<off_t>(operation.length());
    if (operation.writes_body()) {
      ::sync_file_range(object_of(operation).fd(), offset, length, SYNC_FILE_RANGE_WRITE);
    } else {
      ::posix_fadvise(object_of(operation).fd(), offset, length, POSIX_FADV_DONTNEED);
    }
  }

  void start_sync(Operation& operation) override { complete(operation, sync(object_of(operation))); }

  static Status sync(LocalObject& object) {
    if (::fsync(object.fd()) != 0) return fail(errno_error(errno, fmt::format("fsync {}", object.path())));
    if (Status finished = object.finish_commit(); !finished) return finished;
    return sync_parent(object.path());
  }
};

}  // namespace

std::unique_ptr<Session> make_blocking_session(const Tree& tree) {
  return std::make_unique<BlockingSession>(tree);
}

}  // namespace mlps::storage::posix
