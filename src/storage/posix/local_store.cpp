#include "storage/posix/local_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "storage/posix/transfer.hpp"

namespace mlps::storage::posix {

LocalStore::LocalStore(const Location& root, IoMode mode)
    : root_(root), tree_(root.path().empty() ? "/" : root.path()), mode_(mode) {}

std::unique_ptr<Object> LocalStore::object(ObjectSpec spec) {
  // A part of zero bytes would be endless; an object without parts wanted goes in one piece.
  const uint64_t wanted = spec.part_bytes != 0 ? spec.part_bytes : std::max<uint64_t>(spec.size_bytes, 1);
  Result<std::string> path = tree_.path_of(spec.name);
  return std::make_unique<LocalObject>(std::move(spec), round_up(wanted, mode_.alignment), std::move(path), mode_);
}

Status LocalStore::flush() {
  if (mode_.durability == Durability::kEachObject) return {};
  const Descriptor root(::open(tree_.root().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.is_open()) return fail(errno_error(errno, fmt::format("open folder {}", tree_.root())));
  if (::syncfs(root.get()) == 0) return {};
  return fail(errno_error(errno, fmt::format("sync the file system of {}", tree_.root())));
}

std::string_view commit_text(const IoMode& mode) {
  return mode.durability == Durability::kEachObject ? "fsync of file and folder, size checked"
                                                    : "size checked; synced with the whole file system, many at a time";
}

Result<std::optional<Capacity>> LocalStore::capacity() const {
  Result<Capacity> capacity = tree_.capacity();
  if (!capacity) return fail(std::move(capacity.error()));
  return *capacity;
}

}  // namespace mlps::storage::posix
