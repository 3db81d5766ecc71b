#include "storage/posix/tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/log.hpp"
#include "base/write_all.hpp"
#include "storage/probe_name.hpp"

namespace mlps::storage::posix {
namespace {

bool is_safe_name(std::string_view name) {
  if (name.empty() || name.find('\0') != std::string_view::npos) return false;
  size_t begin = 0;
  while (begin <= name.size()) {
    const size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view component = name.substr(begin, end - begin);
    if (component.empty() || component == "." || component == "..") return false;
    begin = end + 1;
  }
  return true;
}

Status write_file(const std::string& path, std::span<const std::byte> bytes) {
  uint32_t attempts = 1;
  const Result<Descriptor> fd = open_regular(path, O_WRONLY | O_CREAT | O_TRUNC, attempts);
  if (!fd) return fail(fd.error());
  Status stored = mlps::write_all(fd->get(), bytes, fmt::format("write {}", path));
  if (stored && ::fsync(fd->get()) != 0) stored = fail(errno_error(errno, fmt::format("fsync {}", path)));
  return stored;
}

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return S_ISBLK(mode) || S_ISCHR(mode) ? "a device" : "something else";
}

/// Returns the bytes read: fewer than asked only at the end of the file.
Result<size_t> read_all(int fd, std::span<std::byte> bytes, uint64_t offset, const std::string& path) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, fmt::format("read {} at offset {}", path, offset + done)));
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string nearest_existing(const std::string& path) {
  std::string candidate = path;
  struct stat status {};
  while (::stat(candidate.c_str(), &status) != 0) {
    if (candidate == "/" || candidate.find('/') == std::string::npos) return {};
    candidate = parent_of(candidate);
  }
  return candidate;
}

Error absent_error(const std::string& path) {
  return Error{ErrorCode::kStorageNotFound,
               fmt::format("{} is not there", path),
               {},
               "check the folder and the name; a checkpoint is read from where it was written"};
}

Error file_error(int errno_value, bool direct, std::string what) {
  Error error = errno_error(errno_value, std::move(what));
  if (direct && errno_value == EINVAL) {
    error.details = "O_DIRECT is on; EINVAL is how a file system refuses it";
    error.suggestion = "drop --o-direct, or use a file system that supports O_DIRECT";
  } else if (errno_value == ESTALE) {
    error.suggestion = "the server of this file system failed over, or exports it anew: mount it again, then repeat";
  }
  return error;
}

Result<Descriptor> open_regular(const std::string& path, int flags, uint32_t& attempts) {
  constexpr int kNonBlocking = O_NONBLOCK | O_NOCTTY;  // a FIFO would wait for its other end
  Descriptor fd;
  for (bool again = false;; again = true) {
    fd = Descriptor(::open(path.c_str(), flags | O_CLOEXEC | kNonBlocking, 0644));
    if (fd.is_open() || errno != ESTALE || again) break;
    ++attempts;
    log::warning("{}: {}; opened once more by its path", path, std::generic_category().message(ESTALE));
  }
  const bool writing = (flags & O_CREAT) != 0;
  const int error = errno;
  if (!fd.is_open() && !writing && (error == ENOENT || error == ENOTDIR)) return fail(absent_error(path));
  struct stat status {};
  const bool known = fd.is_open() ? ::fstat(fd.get(), &status) == 0 : ::stat(path.c_str(), &status) == 0;
  if (known && !S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalidStructure, fmt::format("{} is {}, not a file", path, kind_of(status.st_mode)), {},
                "remove it, or give another folder");
  }
  if (!fd.is_open()) {
    Error refused = file_error(error, (flags & O_DIRECT) != 0, fmt::format("{} {}", writing ? "create" : "open", path));
    if (writing && known && error == EPERM) {
      refused.details = "the file exists, and this file system, or a flag of the file, doesn't let it be written over";
      refused.suggestion = "remove the old files, or give a fresh folder";
    }
    return fail(std::move(refused));
  }
  // Only the opening must not wait; io_uring would hand back what can't be done at once.
  if (::fcntl(fd.get(), F_SETFL, flags) != 0) return fail(errno_error(errno, fmt::format("set the flags of {}", path)));
  return fd;
}

Status make_parents(const std::string& path) {
  std::vector<std::string> missing;
  struct stat status {};
  for (std::string folder = parent_of(path); ::stat(folder.c_str(), &status) != 0; folder = parent_of(folder)) {
    if (errno != ENOENT || folder == "/") return fail(errno_error(errno, fmt::format("look at folder {}", folder)));
    missing.push_back(folder);
  }
  for (auto folder = missing.rbegin(); folder != missing.rend(); ++folder) {
    if (::mkdir(folder->c_str(), 0777) == 0) {
      if (Status synced = sync_parent(*folder); !synced) return synced;
    } else if (errno != EEXIST) {
      return fail(errno_error(errno, fmt::format("create folder {}", *folder)));
    }
  }
  return {};
}

Result<Descriptor> open_parent(const std::string& path) {
  const std::string folder = parent_of(path);
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return fail(errno_error(errno, fmt::format("open folder {}", folder)));
  return fd;
}

bool is_unsupported_folder_sync(int errno_value) {
  return errno_value == EINVAL || errno_value == ENOTSUP || errno_value == ENOSYS;
}

Status sync_parent(const std::string& path) {
  const Result<Descriptor> folder = open_parent(path);
  if (!folder) return fail(folder.error());
  if (::fsync(folder->get()) != 0 && !is_unsupported_folder_sync(errno)) {
    return fail(errno_error(errno, fmt::format("fsync folder {}", parent_of(path))));
  }
  return {};
}

Result<std::string> Tree::path_of(std::string_view name) const {
  if (!is_safe_name(name)) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("\"{}\" is not a name below {}", name, root_),
                "names are relative, without empty, '.' or '..' components");
  }
  return fmt::format("{}/{}", root_ == "/" ? "" : root_, name);
}

Result<ObjectInfo> Tree::head(std::string_view name) const {
  const Result<std::string> path = path_of(name);
  if (!path) return fail(path.error());
  struct stat status {};
  if (::stat(path->c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return fail(absent_error(*path));
    return fail(errno_error(errno, fmt::format("stat {}", *path)));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kStorageNotFound, fmt::format("{} is not a regular file", *path));
  }
  return ObjectInfo{std::string(name), static_cast<uint64_t>(status.st_size)};
}

Status Tree::put(std::string_view name, std::span<const std::byte> bytes) const {
  const Result<std::string> path = path_of(name);
  if (!path) return fail(path.error());
  if (Status made = make_parents(*path); !made) return made;
  // Another process may be storing the same file: each has a partial one of its own.
  const std::string partial = fmt::format("{}.{}{}", *path, random_suffix(), kPartialSuffix);
  Status stored = write_file(partial, bytes);
  if (stored && ::rename(partial.c_str(), path->c_str()) != 0) {
    stored = fail(errno_error(errno, fmt::format("rename {} to {}", partial, *path)));
  }
  if (!stored) {
    ::unlink(partial.c_str());
    return stored;
  }
  return sync_parent(*path);
}

Result<Descriptor> Tree::open_for_reading(std::string_view name) const {
  const Result<std::string> path = path_of(name);
  if (!path) return fail(path.error());
  uint32_t attempts = 1;
  return open_regular(*path, O_RDONLY, attempts);
}

Result<std::vector<std::byte>> Tree::get(std::string_view name, uint64_t offset, uint64_t length) const {
  const Result<ObjectInfo> info = head(name);
  if (!info) return fail(info.error());
  const Result<Descriptor> fd = open_for_reading(name);
  if (!fd) return fail(fd.error());
  // Clamped to the file, so that "everything" can be asked for without room for it.
  const uint64_t room = offset < info->size_bytes ? info->size_bytes - offset : 0;
  std::vector<std::byte> bytes(std::min(length, room));
  const Result<size_t> count = read_all(fd->get(), bytes, offset, *path_of(name));
  if (!count) return fail(count.error());
  bytes.resize(*count);
  return bytes;
}

Status Tree::remove(std::string_view name) const {
  const Result<std::string> path = path_of(name);
  if (!path) return fail(path.error());
  if (::unlink(path->c_str()) == 0) return {};
  // Where nothing may be removed, the kernel may refuse before it looks whether the file is there.
  const int refusal = errno;
  struct stat status {};
  if (::lstat(path->c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  return fail(errno_error(refusal, fmt::format("remove {}", *path)));
}

Result<std::optional<Capacity>> Tree::capacity() const {
  const std::string existing = nearest_existing(root_);
  if (existing.empty()) {
    return fail(ErrorCode::kPathNotFound, fmt::format("no parent folder of {} exists", root_), {},
                "create the folder, or correct the path");
  }
  struct statvfs space {};
  if (::statvfs(existing.c_str(), &space) != 0) {
    Error error = errno_error(errno, fmt::format("ask for the free space of {}", existing));
    error.code = ErrorCode::kPermissionDenied;
    return fail(std::move(error));
  }
  if (space.f_blocks == 0) return std::nullopt;
  return Capacity{static_cast<uint64_t>(space.f_bavail) * space.f_frsize, existing};
}

}  // namespace mlps::storage::posix
