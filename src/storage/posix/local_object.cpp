#include "storage/posix/local_object.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "storage/posix/transfer.hpp"
#include "storage/posix/tree.hpp"

namespace mlps::storage::posix {
Error move_error(const Operation& operation, const Transfer& transfer, int errno_value) {
  const auto& object = static_cast<const LocalObject&>(*operation.object);
  Error error = file_error(errno_value, object.mode().direct,
                           fmt::format("{} {} at offset {}", operation.writes_body() ? "write" : "read", object.path(),
                                       operation.offset() + transfer.begin()));
  const bool out_of_order = errno_value == EINVAL || errno_value == ENOTSUP || errno_value == ESPIPE;
  if (operation.writes_body() && !object.mode().direct && out_of_order) {
    error.details = "parts of a file are written in any order and at the same time";
    error.suggestion =
        "a file system over an object store may take writes from beginning to end only: give another folder, or reach "
        "the object store itself (object, s3://...)";
  }
  return error;
}

Error stuck_error(const Operation& operation, const Transfer& transfer) {
  const auto& object = static_cast<const LocalObject&>(*operation.object);
  const uint64_t offset = operation.offset();
  if (operation.writes_body()) {
    return Error{ErrorCode::kStorageIo, fmt::format("write {} at offset {}: stopped after {} of {} bytes",
                                                    object.path(), offset, transfer.reached(), operation.length())};
  }
  return Error{ErrorCode::kDataMismatch,
               fmt::format("read {} at offset {}: {} of {} bytes, then the file ends", object.path(), offset,
                           transfer.reached(), operation.length()),
               fmt::format("the file had its planned {} bytes when it was opened", object.size_bytes()),
               "something else changes this folder; write it again: a checkpoint by a run, a data set by datagen"};
}

Status check_buffer(const Operation& operation, const LocalObject& object) {
  if (!operation.is_inside())
    return fail(ErrorCode::kInternal, fmt::format("{} outside of {}", op_name(operation.kind), object.name()));
  const uint64_t length = operation.length();
  const bool fits =
      operation.kind == OpKind::kWritePart ? operation.buffer.size() == length : operation.buffer.size() >= length;
  const bool aligned =
      length == 0 || reinterpret_cast<uintptr_t>(operation.buffer.data()) % object.mode().alignment == 0;
  if (fits && aligned) return {};
  return fail(ErrorCode::kInternal,
              fmt::format("{} {} of {}: a buffer of {} bytes at {} for a part of {} bytes and alignment {}",
                          op_name(operation.kind), operation.part, object.name(), operation.buffer.size(),
                          static_cast<const void*>(operation.buffer.data()), length, object.mode().alignment));
}

Status LocalObject::open(int flags) {
  attempts_ = 1;
  Result<Descriptor> fd = open_regular(*path_, flags | (mode_.direct ? O_DIRECT : 0), attempts_);
  if (fd) {
    fd_ = std::move(*fd);
    return {};
  }
  return fail(std::move(fd.error()));
}

Result<uint64_t> LocalObject::current_size() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return fail(errno_error(errno, fmt::format("stat {}", *path_)));
  return static_cast<uint64_t>(status.st_size);
}

Status LocalObject::check_own_size(uint64_t expected) const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return fail(errno_error(errno, fmt::format("stat {}", *path_)));
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size == expected && status.st_nlink != 0) return {};
  return fail(ErrorCode::kDataMismatch,
              status.st_nlink == 0
                  ? fmt::format("commit {}: the file was removed while it was written", *path_)
                  : fmt::format("commit {}: the file has {} bytes where {} were left", *path_, size, expected),
              {}, "something else writes to this folder; give the run a folder of its own");
}

Status LocalObject::close() {
  if (const int error = fd_.close(); error != 0) return fail(errno_error(error, fmt::format("close {}", *path_)));
  return {};
}

uint64_t LocalObject::unfinished_bytes() const {
  return round_up(size_bytes(), mode_.alignment) + mode_.alignment;
}

Status LocalObject::begin_write() {
  if (!path_) return fail(path_.error());
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  Status opened = open(kFlags);
  if (!opened && opened.error().code == ErrorCode::kPathNotFound) {
    if (Status made = make_parents(*path_); !made) return made;
    opened = open(kFlags);
  }
  if (!opened) return opened;
  created_ = true;
  const bool lasts = mode_.durability == Durability::kEachObject;
  if (!lasts && (!mode_.direct || part_count() == 1)) return {};
  const uint64_t length = lasts ? unfinished_bytes() : size_bytes();
  const bool set = ::ftruncate(fd_.get(), static_cast<off_t>(length)) == 0;
  marked_ = set && lasts;
  const bool unable = errno == EPERM || errno == EINVAL || errno == ENOTSUP || errno == ENOSYS;
  if (set || (!mode_.direct && unable)) return {};
  Error error = errno_error(errno, fmt::format("set the length of {} to {}", *path_, length));
  // Best effort: the caller reports this error, and a begin that failed leaves nothing to abort.
  static_cast<void>(abort_write());
  return fail(std::move(error));
}

Status LocalObject::write_end(std::span<const std::byte> bytes, uint64_t offset) const {
  uint32_t attempts = 1;
  const Result<Descriptor> fd = open_regular(*path_, O_WRONLY, attempts);
  if (!fd) return fail(fd.error());
  const auto action = [&] { return fmt::format("write {} at offset {}", *path_, offset); };
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd->get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, action()));
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Status LocalObject::prepare_commit() {
  const uint64_t written = moved_bytes_.load(std::memory_order_relaxed);
  if (written != size_bytes()) {
    return fail(ErrorCode::kDataMismatch,
                fmt::format("commit {}: {} bytes were written, {} were planned", *path_, written, size_bytes()));
  }
  if (!marked_) return {};
  if (Status untouched = check_own_size(unfinished_bytes()); !untouched) return untouched;
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_bytes())) != 0) {
    return fail(errno_error(errno, fmt::format("set the length of {} to {}", *path_, size_bytes())));
  }
  return {};
}

Status LocalObject::finish_commit() {
  if (Status whole = check_own_size(size_bytes()); !whole) return whole;
  if (mode_.fadvise == FadviseMode::kDontNeed) ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
  return close();
}

Status LocalObject::abort_write() {
  if (!created_) return {};
  created_ = false;
  // What another process has put in this file's place, and committed, isn't ours to remove.
  struct stat mine {
  }, there{};
  const bool is_mine = ::fstat(fd_.get(), &mine) == 0 && ::lstat(path_->c_str(), &there) == 0 &&
                       mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
  const Status closed = close();
  if (!is_mine) return closed;
  if (::unlink(path_->c_str()) != 0 && errno != ENOENT) {
    return fail(errno_error(errno, fmt::format("remove unfinished {}", *path_)));
  }
  return closed;
}

Status LocalObject::begin_read() {
  if (!path_) return fail(path_.error());
  if (Status opened = open(O_RDONLY); !opened) return opened;
  const Result<uint64_t> size = current_size();
  if (!size) return fail(size.error());
  if (*size != size_bytes()) {
    fd_.close();
    return fail(ErrorCode::kDataMismatch,
                fmt::format("open {}: the file has {} bytes, {} are expected", *path_, *size, size_bytes()), {},
                "it was written by another plan or not completely; write it again: a checkpoint by a run, a data set "
                "by datagen");
  }
  // Neighbouring parts are read at neighbouring times, so what the kernel reads ahead beyond a part is not read twice.
  if (mode_.fadvise != FadviseMode::kNone) ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return {};
}

Status LocalObject::end_read() {
  // Large pages that two parts share, and what was read ahead, outlast the dropping of each part.
  const bool whole = moved_bytes_.exchange(0, std::memory_order_relaxed) >= size_bytes();
  if (whole && mode_.fadvise == FadviseMode::kDontNeed) ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
  return close();
}

}  // namespace mlps::storage::posix
