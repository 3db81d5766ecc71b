#pragma once

#include <atomic>
#include <span>
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
/// A file whose every commit is durable gets its length at the beginning, and one block too many (a buffered one a
/// byte): if its writing is interrupted, it never has the size of a whole one. A direct file of several parts gets its
/// length in any case, since a write that extends a file excludes all others, on ext4 and XFS. A file system that can't
/// set the length of a buffered file is one that writes from beginning to end, and what is interrupted there is short.
class LocalObject final : public Object {
 public:
  /// `path` may be the error that its name caused; begin_write() and begin_read() then report it.
  LocalObject(ObjectSpec spec, uint64_t part_bytes, Result<std::string> path, IoMode mode)
      : Object(std::move(spec), part_bytes), path_(std::move(path)), mode_(mode) {}

  int fd() const { return fd_.get(); }
  const std::string& path() const { return *path_; }  ///< after a successful begin
  const IoMode& mode() const { return mode_; }

  Status begin_write();
  /// Writes what is behind the last whole block of a direct file, through the page cache: O_DIRECT moves whole blocks,
  /// and a file that is cut inside one has that block read back by the file system, which doubled the time of files of
  /// 0.3 MB on ext4. Any thread may call it.
  Status write_end(std::span<const std::byte> bytes, uint64_t offset) const;
  /// Takes note that a part was written or read. Any thread may call it.
  void count_moved(uint64_t bytes) { moved_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  /// Returns how often the last begin opened the file: more than once after a stale handle.
  uint32_t attempts() const { return attempts_; }
  /// Does the first half of a commit, before fsync: checks that every part was written (else E606), and gives the file
  /// its exact length.
  Status prepare_commit();
  /// Does the second half, after fsync: checks that the file has its planned size (else E606), drops its pages if the
  /// mode says so, and closes it.
  Status finish_commit();
  /// Closes and removes what begin_write() created.
  Status abort_write();

  Status begin_read();  ///< E603 if absent, E606 if the size is not the planned one
  Status end_read();    ///< also drops the pages of a file that was read as a whole, if the mode says so

 private:
  Status open(int flags);
  Result<uint64_t> current_size() const;
  uint64_t unfinished_bytes() const;
  Status check_own_size(uint64_t expected) const;
  Status close();

  Result<std::string> path_;
  IoMode mode_;
  Descriptor fd_;
  bool created_ = false;
  bool marked_ = false;  ///< longer than planned until it is committed
  uint32_t attempts_ = 1;
  std::atomic<uint64_t> moved_bytes_ = 0;
};

/// Returns E901 unless the operation's buffer is as the contract demands: the size of the part for a write, room for it
/// for a read, and aligned.
Status check_buffer(const Operation& operation, const LocalObject& object);

}  // namespace mlps::storage::posix
