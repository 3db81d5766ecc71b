#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/units.hpp"
#include "storage/posix/tree.hpp"

namespace mlps::storage::posix {
namespace {

/// The bytes mapped at a time: the mapping costs address space only, the answer one byte per page.
constexpr uint64_t kWindowBytes = kGiB;

/// Returns the cached bytes of the file's range [offset, offset + length); nothing if the system refuses to tell, as a
/// file system without mappings or a filter of the container.
std::optional<uint64_t> cached_in_window(int fd, uint64_t offset, uint64_t length, std::vector<unsigned char>& pages) {
  void* const window = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (window == MAP_FAILED) return std::nullopt;
  const uint64_t page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  pages.resize((length + page_bytes - 1) / page_bytes);
  const int asked = ::mincore(window, length, pages.data());
  ::munmap(window, length);
  if (asked != 0) return std::nullopt;
  uint64_t cached = 0;
  for (size_t i = 0; i < pages.size(); ++i) {
    if ((pages[i] & 1) != 0) cached += std::min(page_bytes, length - i * page_bytes);
  }
  return cached;
}

}  // namespace

Status Tree::evict(std::string_view name) const {
  const Result<Descriptor> fd = open_for_reading(name);
  if (!fd) return fail(fd.error());
  // DONTNEED drops clean pages only, so they have to reach the device first.
  if (::fdatasync(fd->get()) != 0) return fail(errno_error(errno, fmt::format("fdatasync {}", *path_of(name))));
  ::posix_fadvise(fd->get(), 0, 0, POSIX_FADV_DONTNEED);
  return {};
}

Result<std::optional<Residency>> Tree::residency(std::string_view name) const {
  const Result<Descriptor> fd = open_for_reading(name);
  if (!fd) return fail(fd.error());
  const std::string path = *path_of(name);
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) return fail(errno_error(errno, fmt::format("stat {}", path)));
  const bool may_know = status.st_uid == ::geteuid() || ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
  if (!may_know) return std::nullopt;

  Residency residency;
  residency.total_bytes = static_cast<uint64_t>(status.st_size);
  std::vector<unsigned char> pages;
  for (uint64_t offset = 0; offset < residency.total_bytes; offset += kWindowBytes) {
    const uint64_t length = std::min(kWindowBytes, residency.total_bytes - offset);
    const std::optional<uint64_t> cached = cached_in_window(fd->get(), offset, length, pages);
    if (!cached) return std::nullopt;
    residency.cached_bytes += *cached;
  }
  return residency;
}

}  // namespace mlps::storage::posix
