#include "gates/shared_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/descriptor.hpp"
#include "base/mount_table.hpp"
#include "base/waiting.hpp"
#include "storage/probe_name.hpp"
#include "world/proc_text.hpp"

namespace mlps::gates {
namespace {

constexpr std::string_view kSharedFolderGate = "CAP-02";
constexpr Nanos kRetryInterval = 100'000'000;
constexpr mode_t kReadableByAll = 0644;  // another host may read it as another user (root over NFS)

tl::unexpected<Error> cant_mark(int errno_value, const std::string& action) {
  return fail(ErrorCode::kInvalidStructure,
              errno_error(errno_value, fmt::format("{}: {}", kSharedFolderGate, action)).message, {},
              "several hosts must share this folder, and the first must be able to show it");
}

// O_NONBLOCK: opening a FIFO in the file's place must not block.
Descriptor open_to_read(const std::string& path, int flags = 0) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags));
}

/// The file that a host finds at the mark's path.
struct Sighting {
  int error = 0;  ///< errno; if not 0, the other members mean nothing
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  bool same_content = true;
  std::string file_system = {};  ///< its type, "nfs4"
};

Sighting sight(const SharedMark& mark, const std::string& path) {
  const Descriptor file = open_to_read(path);
  if (!file.is_open()) return {.error = errno};
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return {.error = errno};
  Sighting sighting{.inode = status.st_ino, .size_bytes = static_cast<uint64_t>(status.st_size)};
  sighting.file_system =
      file_system_of(world::read_text("/proc/self/mountinfo").value_or(""), major(status.st_dev), minor(status.st_dev));
  if (mark.content.empty()) return sighting;
  std::string content(mark.content.size(), '\0');
  const ssize_t length = ::pread(file.get(), content.data(), content.size(), 0);
  if (length < 0) return {.error = errno};
  sighting.same_content = content == mark.content;
  return sighting;
}

bool is_missing(const Sighting& sighting) {
  return sighting.error == ENOENT || sighting.error == ENOTDIR || sighting.error == ESTALE;
}

/// Returns whether the mark may still appear.
bool may_change(const SharedMark& mark, const Sighting& sighting) {
  if (sighting.error != 0) return is_missing(sighting);
  return !sighting.same_content || sighting.size_bytes != mark.size_bytes;
}

/// Opens the folders of `path`: an NFS client caches that a name does not exist for as long as it believes the folder
/// unchanged (up to 60 s by default), and revalidates the folder when it is opened.
void revalidate_folders_of(const std::string& path) {
  std::filesystem::path folder;
  for (const auto& part : std::filesystem::path(path).parent_path()) {
    folder /= part;
    (void)open_to_read(folder.string(), O_DIRECTORY);
  }
}

Error not_shared(std::string what, std::string details, const std::string& folder) {
  return {ErrorCode::kInvalidStructure, fmt::format("{}: {}", kSharedFolderGate, what), std::move(details),
          fmt::format("mount the same file system at {} on every host", folder)};
}

}  // namespace

Result<SharedMark> make_mark(const std::string& folder, std::vector<std::string>& warnings,
                             std::optional<ProbeFile>& probe) {
  SharedMark mark;
  mark.name = std::string(storage::kSharedProbe) + storage::random_suffix();
  mark.content = storage::random_suffix() + "\n";
  mark.size_bytes = mark.content.size();
  probe.emplace(kSharedFolderGate, fmt::format("{}/{}", folder, mark.name), warnings);
  if (const int failed = probe->create(kReadableByAll, mark.content); failed != 0) {
    return cant_mark(failed, "create " + probe->path());
  }
  struct stat status {};
  if (::stat(probe->path().c_str(), &status) != 0) return cant_mark(errno, "stat " + probe->path());
  mark.inode = status.st_ino;
  return mark;
}

Result<SharedMark> mark_of(const std::string& folder, const std::string& name) {
  const std::string path = fmt::format("{}/{}", folder, name);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return cant_mark(errno, "stat " + path);
  return SharedMark{name, status.st_ino, static_cast<uint64_t>(status.st_size), {}};
}

bool numbers_files_alike(std::string_view file_system) {
  return !file_system.starts_with("fuse");
}

void retry_pause() {
  sleep_for(kRetryInterval);
}

std::optional<Error> look_for(const SharedMark& mark, const std::string& folder, const std::string& first_host,
                              Nanos patience_ns, const world::Failure& failure, std::vector<std::string>& warnings,
                              const std::function<void()>& pause) {
  const std::string path = fmt::format("{}/{}", folder, mark.name);
  const Nanos begin_ns = now_ns();
  Sighting sighting = sight(mark, path);
  while (may_change(mark, sighting) && now_ns() - begin_ns < patience_ns && !failure.raised()) {
    pause();
    revalidate_folders_of(path);
    sighting = sight(mark, path);
  }
  if (is_missing(sighting)) {
    return not_shared(
        fmt::format("no such file: {} is not the folder that host {} sees", folder, first_host),
        fmt::format("{}, which host {} sees, was looked for for {:g} s", path, first_host, to_seconds(patience_ns)),
        folder);
  }
  if (sighting.error != 0) return errno_error(sighting.error, fmt::format("{}: read {}", kSharedFolderGate, path));
  if (!sighting.same_content) {
    return not_shared(fmt::format("another content: {} is not the folder that host {} sees", folder, first_host),
                      fmt::format("{} holds other bytes here than host {} has written", path, first_host), folder);
  }
  if (sighting.size_bytes != mark.size_bytes) {
    return not_shared(
        fmt::format("another file: {} is not the folder that host {} sees", folder, first_host),
        fmt::format("{} has {} bytes here, {} on host {}", path, sighting.size_bytes, mark.size_bytes, first_host),
        folder);
  }
  if (!mark.content.empty() || sighting.inode == mark.inode) return std::nullopt;
  const std::string numbers =
      fmt::format("{} has inode {} here, {} on host {}", path, sighting.inode, mark.inode, first_host);
  if (numbers_files_alike(sighting.file_system)) {
    return not_shared(fmt::format("another file: {} is not the folder that host {} sees", folder, first_host), numbers,
                      folder);
  }
  warnings.push_back(
      fmt::format("{}: {}: the folder may be a copy on this host's own disk, unless {} numbers its files "
                  "on every host anew",
                  kSharedFolderGate, numbers, sighting.file_system));
  return std::nullopt;
}

}  // namespace mlps::gates
