#include "storage/posix/file_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/units.hpp"
#include "storage/posix/local_session.hpp"
#include "storage/posix/probe.hpp"
#include "storage/posix/ring.hpp"

namespace mlps::storage {
namespace posix {
namespace {

/// Of parts of this size, the bytes that were just made are still in the processor's cache when they are copied or sent
/// to the device, and buffers are few pages to fault in (bench/files: 16 MiB took two to four times the processor
/// time).
constexpr uint64_t kFileParts = kMiB;
/// Of file systems that want larger ones: stripes and blocks of parallel file systems.
constexpr uint64_t kMostDirectParts = 16 * kMiB;

class LocalStore : public Store {
 public:
  LocalStore(const Location& root, IoMode mode)
      : root_(root), tree_(root.path().empty() ? "/" : root.path()), mode_(mode) {}

  const Location& root() const override { return root_; }

  std::unique_ptr<Object> object(ObjectSpec spec) override {
    // A part of zero bytes would be endless; an object without parts wanted goes in one piece.
    const uint64_t wanted = spec.part_bytes != 0 ? spec.part_bytes : std::max<uint64_t>(spec.size_bytes, 1);
    Result<std::string> path = tree_.path_of(spec.name);
    return std::make_unique<LocalObject>(std::move(spec), round_up(wanted, mode_.alignment), std::move(path), mode_);
  }

  Status flush() override {
    if (mode_.durability == Durability::kEachObject) return {};
    const Descriptor root(::open(tree_.root().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root.is_open()) return fail(errno_error(errno, fmt::format("open folder {}", tree_.root())));
    if (::syncfs(root.get()) == 0) return {};
    return fail(errno_error(errno, fmt::format("sync the file system of {}", tree_.root())));
  }

  Result<std::optional<Capacity>> capacity() const override { return tree_.capacity(); }
  Status evict(std::string_view name) override { return tree_.evict(name); }
  Result<std::optional<Residency>> residency(std::string_view name) override { return tree_.residency(name); }

 protected:
  const Tree& tree() const { return tree_; }
  const IoMode& mode() const { return mode_; }
  std::string commit_text() const {
    return mode_.durability == Durability::kEachObject
               ? "fsync of file and folder, size checked"
               : "size checked; synced with the whole file system, many at a time";
  }

 private:
  Location root_;
  Tree tree_;
  IoMode mode_;
};

class FileStore final : public LocalStore {
 public:
  using LocalStore::LocalStore;

  StoreTraits traits() const override {
    return {.backend = "file", .blocking = true, .file_system = true, .part_bytes = kFileParts};
  }
  Result<std::unique_ptr<Session>> open_session(unsigned /*depth*/) override { return make_blocking_session(tree()); }
  SettingList describe() const override {
    return {{"engine", "pwrite/pread (buffered)"},
            {"fadvise", std::string(fadvise_name(mode().fadvise))},
            {"preallocation", "none"},
            {"commit", commit_text()}};
  }
};

class DirectStore final : public LocalStore {
 public:
  DirectStore(const Location& root, DirectLimits limits, Durability durability, int io_uring_errno)
      : LocalStore(root,
                   {true, std::max(limits.offset_alignment, limits.memory_alignment), FadviseMode::kNone, durability}),
        limits_(std::move(limits)),
        io_uring_errno_(io_uring_errno) {}

  StoreTraits traits() const override {
    return {.backend = "direct",
            .blocking = blocking(),
            .file_system = true,
            .buffer_alignment = mode().alignment,
            .part_bytes = std::clamp(limits_.preferred_bytes, kFileParts, kMostDirectParts)};
  }
  Result<std::unique_ptr<Session>> open_session(unsigned depth) override {
    if (blocking()) return make_blocking_session(tree());
    return make_ring_session(tree(), depth);
  }
  SettingList describe() const override {
    const std::string engine = blocking() ? fmt::format("pread/pwrite (io_uring refused: {})",
                                                        std::generic_category().message(io_uring_errno_))
                                          : "io_uring";
    return {{"engine", engine},
            {"o_direct", "write and read"},
            {"alignment_bytes", fmt::format("{} ({})", mode().alignment, limits_.origin)},
            {"preallocation", "none (length of files of several parts set at begin)"},
            {"commit", commit_text()}};
  }

 private:
  bool blocking() const { return io_uring_errno_ != 0; }

  DirectLimits limits_;
  int io_uring_errno_;
};

Status check_root(const Location& root) {
  if (root.path().starts_with('/')) return {};
  return fail(ErrorCode::kConfigInvalid, fmt::format("\"{}\" is not an absolute path", root.path()));
}

}  // namespace
}  // namespace posix

Result<std::unique_ptr<Store>> open_file_store(const Location& root, FadviseMode fadvise, Durability durability) {
  if (Status legal = posix::check_root(root); !legal) return fail(std::move(legal.error()));
  return std::make_unique<posix::FileStore>(root, posix::IoMode{false, 1, fadvise, durability});
}

Result<std::unique_ptr<Store>> open_direct_store(const Location& root, Durability durability,
                                                 std::optional<int> io_uring_errno) {
  if (Status legal = posix::check_root(root); !legal) return fail(std::move(legal.error()));
  Result<posix::DirectLimits> limits = posix::probe_direct(root.path());
  if (!limits) return fail(std::move(limits.error()));
  const int refused = io_uring_errno ? *io_uring_errno : posix::io_uring_refusal();
  return std::make_unique<posix::DirectStore>(root, std::move(*limits), durability, refused);
}

}  // namespace mlps::storage
