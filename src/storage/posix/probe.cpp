#include "storage/posix/probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "base/aligned_buffer.hpp"
#include "base/mount_table.hpp"
#include "storage/posix/tree.hpp"

namespace mlps::storage::posix {
namespace {

constexpr size_t kLeastAlignment = 4096;

Error refused_error(const std::string& folder, const std::string& tried, int errno_value) {
  return Error{ErrorCode::kConfigIncompatible,
               fmt::format("{} ({}) refuses O_DIRECT: {}: {}", folder, file_system_name(folder), tried,
                           std::generic_category().message(errno_value)),
               {},
               "drop --o-direct (or use a plain path instead of direct://), or choose a file system with direct I/O"};
}

/// A file without a name where the file system can make one, else one that loses its name at once.
Result<Descriptor> unnamed_file(const std::string& folder, int extra_flags) {
  Descriptor fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | extra_flags, 0600));
  if (fd.is_open() || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)) {
    if (fd.is_open()) return fd;
    return fail(errno_error(errno, fmt::format("create a probe file in {}", folder)));
  }
  std::string name = folder + "/.mlpstorage-direct-probe-XXXXXX";
  fd = Descriptor(::mkostemp(name.data(), O_CLOEXEC | extra_flags));
  if (!fd.is_open()) {
    if (errno == EINVAL && (extra_flags & O_DIRECT) != 0) {
      ::unlink(name.c_str());  // some file systems create the name and then refuse the flag
      return fail(refused_error(folder, "open", EINVAL));
    }
    return fail(errno_error(errno, fmt::format("create {}", name)));
  }
  ::unlink(name.c_str());
  return fd;
}

/// The kernel's own answer (Linux 6.1 and later, where the file system gives one).
std::optional<DirectLimits> ask_kernel(int fd, bool& refused) {
  struct statx facts {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &facts) != 0) return std::nullopt;
  if ((facts.stx_mask & STATX_DIOALIGN) == 0) return std::nullopt;
  refused = facts.stx_dio_offset_align == 0;
  return DirectLimits{std::max<size_t>(kLeastAlignment, facts.stx_dio_offset_align),
                      std::max<size_t>(kLeastAlignment, facts.stx_dio_mem_align), 0,
                      fmt::format("statx: offset {}, memory {}", facts.stx_dio_offset_align, facts.stx_dio_mem_align)};
}

Status try_one_block(int fd, const DirectLimits& limits, const std::string& folder) {
  const size_t bytes = std::max(limits.offset_alignment, limits.memory_alignment);
  const Result<AlignedBuffer> block = AlignedBuffer::allocate(bytes);
  if (!block) return fail(block.error());
  for (const bool writing : {true, false}) {
    const ssize_t count = writing ? ::pwrite(fd, block->data(), bytes, 0) : ::pread(fd, block->data(), bytes, 0);
    if (count == static_cast<ssize_t>(bytes)) continue;
    const int error = count < 0 ? errno : EIO;
    if (error == ENOSPC || error == EDQUOT) break;  // full, but not refused: there may be only reading to do
    const std::string tried = fmt::format("{} of {} bytes", writing ? "write" : "read", bytes);
    if (error == EINVAL) return fail(refused_error(folder, tried, error));
    return fail(errno_error(error, fmt::format("direct {} in {}", tried, folder)));
  }
  return {};
}

}  // namespace

std::string file_system_name(const std::string& path) {
  struct stat status {};
  struct statfs magic {};
  if (::stat(path.c_str(), &status) != 0 || ::statfs(path.c_str(), &magic) != 0) return "unknown file system";
  std::ifstream file("/proc/self/mountinfo");
  const std::string mountinfo{std::istreambuf_iterator<char>(file), {}};
  const std::string type = file_system_of(mountinfo, major(status.st_dev), minor(status.st_dev));
  return type.empty() ? fmt::format("file system {:#x}", static_cast<uint64_t>(magic.f_type)) : type;
}

Result<DirectLimits> probe_direct(const std::string& root) {
  const std::string folder = nearest_existing(root);
  if (folder.empty()) {
    return fail(ErrorCode::kPathNotFound, fmt::format("no parent folder of {} exists", root));
  }
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return DirectLimits{kLeastAlignment, kLeastAlignment, 0, "assumed: the folder can't be written to"};
  }
  const Result<Descriptor> plain = unnamed_file(folder, 0);
  if (!plain) return fail(plain.error());
  bool refused = false;
  const std::optional<DirectLimits> answer = ask_kernel(plain->get(), refused);
  if (refused) return fail(refused_error(folder, "statx", EINVAL));
  DirectLimits limits = answer.value_or(DirectLimits{kLeastAlignment, kLeastAlignment, 0, "assumed"});
  struct stat status {};
  if (::fstat(plain->get(), &status) == 0) limits.preferred_bytes = static_cast<uint64_t>(status.st_blksize);
  if (std::max(limits.offset_alignment, limits.memory_alignment) > AlignedBuffer::kAlignment) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("{} wants O_DIRECT in larger blocks than {} bytes ({})", folder, AlignedBuffer::kAlignment,
                            limits.origin),
                {}, "drop --o-direct, or use another file system");
  }

  const Result<Descriptor> direct = unnamed_file(folder, O_DIRECT);
  if (!direct) return fail(direct.error());
  if (Status works = try_one_block(direct->get(), limits, folder); !works) return fail(works.error());
  return limits;
}

}  // namespace mlps::storage::posix
