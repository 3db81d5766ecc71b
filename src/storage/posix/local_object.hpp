#pragma once

#include <atomic>
#include <string>

#include "base/descriptor.hpp"
#include "storage/open.hpp"
#include "storage/store.hpp"

namespace mlps::storage::posix {

/// The way in which the files of a store are read and written.
struct IoMode {
  bool direct = false;                       ///< O_DIRECT
  size_t alignment = 1;                      ///< of offsets, lengths and buffers; 1 for buffered files
  FadviseMode fadvise = FadviseMode::kNone;  ///< buffered files only
  Durability durability = Durability::kEachObject;
};

/// A file that is being written or read: opened once, its descriptor shared by all threads that move its parts. The
/// calls block; only fsync is left to the session, which may wait for it in another way.
///
/// A direct file gets its length at the beginning, because a write that extends a file excludes all others (ext4, XFS),
/// and one block too many: a file whose writing was interrupted never has the size of a whole one.
class LocalObject final : public Object {
 public:
  /// `path` may be the error that its name caused; begin_write() and begin_read() then report it.
  LocalObject(ObjectSpec spec, uint64_t part_bytes, Result<std::string> path, IoMode mode)
      : Object(std::move(spec), part_bytes), path_(std::move(path)), mode_(mode) {}

  int fd() const { return fd_.get(); }
  const std::string& path() const { return *path_; }  ///< after a successful begin
  const IoMode& mode() const { return mode_; }

  Status begin_write();
  /// Takes note that a part was written. Any thread may call it.
  void count_written(uint64_t bytes) { written_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  /// Does the first half of a commit, before fsync: checks that every part was written (else E606), and gives a direct
  /// file its exact length.
  Status prepare_commit();
  /// Does the second half, after fsync: checks that the file has its planned size (else E606), drops its pages if the
  /// mode says so, and closes it.
  Status finish_commit();
  /// Closes and removes what begin_write() created.
  Status abort_write();

  Status begin_read();  ///< E603 if absent, E606 if the size is not the planned one
  Status end_read();

 private:
  int open_flags() const;
  Status open(int flags);
  Result<uint64_t> current_size() const;
  uint64_t unfinished_bytes() const;
  Status check_own_size(uint64_t expected) const;
  Status close();

  Result<std::string> path_;
  IoMode mode_;
  Descriptor fd_;
  bool created_ = false;
  std::atomic<uint64_t> written_bytes_ = 0;
};

/// Returns E901 unless the operation's buffer is as the contract demands: the size of the part for a write, room for it
/// for a read, and aligned.
Status check_buffer(const Operation& operation, const LocalObject& object);

}  // namespace mlps::storage::posix
