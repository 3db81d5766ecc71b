#pragma once

#include <atomic>
#include <string>

#include "base/descriptor.hpp"
#include "storage/open.hpp"
#include "storage/store.hpp"

namespace mlps::storage::posix {

/// How the files of a store are read and written.
struct IoMode {
  bool direct = false;                       ///< O_DIRECT
  size_t alignment = 1;                      ///< of offsets, lengths and buffers; 1 for buffered files
  FadviseMode fadvise = FadviseMode::kNone;  ///< buffered files only
  Durability durability = Durability::kEachObject;
};

/// A file on its way in or out: opened once, its descriptor shared by all threads that move parts of it. The calls
/// block; only fsync is left to the session, which may want to wait for it elsewhere.
///
/// A direct file is given its length at the beginning, for a write that extends a file excludes all others (ext4,
/// XFS), and one block too many: a file whose writing was broken off never has the size of a whole one.
class LocalObject final : public Object {
 public:
  /// `path` may be the error that its name caused; begin then reports it.
  LocalObject(ObjectSpec spec, uint64_t part_bytes, Result<std::string> path, IoMode mode)
      : Object(std::move(spec), part_bytes), path_(std::move(path)), mode_(mode) {}

  int fd() const { return fd_.get(); }
  const std::string& path() const { return *path_; }  ///< after a successful begin
  const IoMode& mode() const { return mode_; }

  Status begin_write();
  /// After a part was written. From any thread.
  void count_written(uint64_t bytes) { written_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  /// First half of a commit, before fsync: every part has been written; a direct file gets its exact length. E606.
  Status prepare_commit();
  /// Second half, after fsync: the file is there with its planned size (E606 if not); its pages are dropped if the mode
  /// says so; closes.
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

/// errno_error() for I/O on `object`; where O_DIRECT may be the cause it says so.
Error io_error(const LocalObject& object, int errno_value, std::string what);

/// E901 unless the operation's buffer is as the contract has it: the size of the part for a write, room for it for a
/// read, and aligned.
Status check_buffer(const Operation& operation, const LocalObject& object);

}  // namespace mlps::storage::posix
